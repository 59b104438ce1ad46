// SPDX-License-Identifier: MIT
#include "wayland/dmabuf_formats.hpp"

#include <drm_fourcc.h>
#include <gtest/gtest.h>
#include <string>

namespace fencebridge::wayland {
namespace {

constexpr uint32_t xrgb = DRM_FORMAT_XRGB8888;
constexpr uint32_t argb = DRM_FORMAT_ARGB8888;
constexpr uint64_t linear = DRM_FORMAT_MOD_LINEAR;
constexpr uint64_t invalid = DRM_FORMAT_MOD_INVALID;
constexpr uint64_t tiled = 0x0100000000000001;
constexpr uint64_t packed = 0x0100000000000002;
constexpr dev_t our_primary = 0xe200;
constexpr dev_t our_render = 0xe280;
constexpr dev_t other = 0xe281;

using Lists = std::vector<std::vector<uint64_t>>;

struct Case {
    std::string name;
    std::vector<Tranche> tranches;
    std::vector<uint64_t> driver;
    core::DrmNodes nodes;
    Lists expected;
};

class ModifierChoice : public testing::TestWithParam<Case> {};

TEST_P(ModifierChoice, EachTrancheThatSharesModifiersWithTheDriverHasAList) {
    const Case& c = GetParam();
    const auto ranks = rank_layouts({c.tranches}, xrgb, c.nodes);
    EXPECT_EQ(core::common_layouts(ranks, core::Placement::dma_buf, c.driver), c.expected);
}

const core::DrmNodes unknown = {};
const core::DrmNodes ours = {.primary = our_primary, .render = our_render};

INSTANTIATE_TEST_SUITE_P(
    All, ModifierChoice,
    testing::Values(
        Case{"NothingOffered", {}, {linear}, unknown, {}},
        Case{"NothingFromTheDriver", {{{}, {{xrgb, linear}}}}, {}, unknown, {}},
        Case{"OneInCommon",
             {{{}, {{xrgb, linear}, {xrgb, packed}}}},
             {tiled, linear},
             unknown,
             {{linear}}},
        Case{"CompositorsOrderWithinATranche",
             {{{}, {{xrgb, packed}, {xrgb, linear}}}},
             {linear, packed},
             unknown,
             {{packed, linear}}},
        Case{"AnotherFormatDoesNotCount", {{{}, {{argb, linear}}}}, {linear}, unknown, {}},
        Case{"EachOnceInAList",
             {{{}, {{xrgb, linear}, {xrgb, linear}}}},
             {linear},
             unknown,
             {{linear}}},
        Case{"TranchesStayApart",
             {{our_render, {{xrgb, tiled}}}, {our_render, {{xrgb, linear}, {xrgb, tiled}}}},
             {linear, tiled},
             ours,
             {{tiled}, {linear, tiled}}},
        Case{"ATrancheWithNothingIsLeftOut",
             {{our_render, {{xrgb, packed}}}, {our_render, {{xrgb, linear}}}},
             {linear},
             ours,
             {{linear}}},
        Case{"AnImplicitLayoutIsForDriversWithoutModifiers",
             {{{}, {{xrgb, invalid}}}},
             {linear, invalid},
             unknown,
             {{invalid}}},
        Case{"AnotherDeviceGetsNoImplicitLayout",
             {{other, {{xrgb, invalid}}}},
             {linear, invalid},
             ours,
             {}},
        Case{"AnotherDeviceGetsLinear",
             {{other, {{xrgb, tiled}, {xrgb, linear}}}},
             {tiled, linear},
             ours,
             {{linear}}},
        Case{"OurPrimaryNodeIsOurDevice",
             {{our_primary, {{xrgb, tiled}}}},
             {tiled},
             ours,
             {{tiled}}},
        Case{"ADriverWithoutDrmNodesMayBeTheTranchesDevice",
             {{other, {{xrgb, tiled}}}},
             {tiled},
             unknown,
             {{tiled}}},
        Case{"Version3HasNoDevice", {{std::nullopt, {{xrgb, tiled}}}}, {tiled}, ours, {{tiled}}}),
    [](const auto& one) { return one.param.name; });

} // namespace
} // namespace fencebridge::wayland
