// SPDX-License-Identifier: MIT
#include "core/colour.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

namespace fencebridge::core {
namespace {

ColourCapabilities with(std::initializer_list<Primaries> primaries,
                        std::initializer_list<TransferFunction> transfers) {
    ColourCapabilities compositor;
    compositor.parametric = true;
    compositor.mastering = true;
    for (const Primaries name : primaries)
        compositor.add_primaries(static_cast<uint32_t>(name));
    for (const TransferFunction name : transfers)
        compositor.add_transfer(static_cast<uint32_t>(name));
    return compositor;
}

ColourCapabilities everything() {
    ColourCapabilities compositor = with({}, {});
    compositor.windows_scrgb = true;
    compositor.primaries = UINT64_MAX;
    compositor.transfers = UINT64_MAX;
    return compositor;
}

using Spaces = std::vector<VkColorSpaceKHR>;

TEST(Colour, ACompositorWithoutColourManagementDescribesNoSpace) {
    EXPECT_EQ(described_spaces({}), Spaces());
}

TEST(Colour, EverySpaceHasItsPrimariesAndTransferFunction) {
    struct {
        VkColorSpaceKHR space;
        Primaries primaries;
        TransferFunction transfer;
    } const expected[] = {
        {VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT, Primaries::display_p3, TransferFunction::srgb},
        {VK_COLOR_SPACE_DISPLAY_P3_LINEAR_EXT, Primaries::display_p3, TransferFunction::ext_linear},
        {VK_COLOR_SPACE_BT709_LINEAR_EXT, Primaries::srgb, TransferFunction::ext_linear},
        {VK_COLOR_SPACE_BT709_NONLINEAR_EXT, Primaries::srgb, TransferFunction::bt1886},
        {VK_COLOR_SPACE_BT2020_LINEAR_EXT, Primaries::bt2020, TransferFunction::ext_linear},
        {VK_COLOR_SPACE_HDR10_ST2084_EXT, Primaries::bt2020, TransferFunction::st2084_pq},
        {VK_COLOR_SPACE_HDR10_HLG_EXT, Primaries::bt2020, TransferFunction::hlg},
        {VK_COLOR_SPACE_ADOBERGB_LINEAR_EXT, Primaries::adobe_rgb, TransferFunction::ext_linear},
        {VK_COLOR_SPACE_ADOBERGB_NONLINEAR_EXT, Primaries::adobe_rgb, TransferFunction::gamma22},
    };
    Spaces spaces = {VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT};
    for (const auto& [space, primaries, transfer] : expected) {
        spaces.push_back(space);
        EXPECT_EQ(find_encoding(space, with({primaries}, {transfer})),
                  (ColourEncoding{.primaries = primaries, .transfer = transfer}))
            << space;
        EXPECT_EQ(find_encoding(space, with({primaries}, {})), std::nullopt) << space;
        EXPECT_EQ(find_encoding(space, with({}, {transfer})), std::nullopt) << space;
    }
    EXPECT_EQ(described_spaces(everything()), spaces);
}

TEST(Colour, WithoutParametricDescriptionsOnlyThePredefinedOneRemains) {
    ColourCapabilities compositor = everything();
    compositor.parametric = false;
    EXPECT_EQ(described_spaces(compositor), Spaces{VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT});
    compositor.windows_scrgb = false;
    EXPECT_EQ(described_spaces(compositor), Spaces());
}

TEST(Colour, DisplayP3FallsBackToGamma22) {
    const auto encoding = find_encoding(VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT,
                                        with({Primaries::display_p3}, {TransferFunction::gamma22}));
    ASSERT_TRUE(encoding);
    EXPECT_EQ(encoding->transfer, TransferFunction::gamma22);
}

TEST(Colour, TheseSpacesAreNeverDescribed) {
    for (const VkColorSpaceKHR space :
         {VK_COLOR_SPACE_SRGB_NONLINEAR_KHR, VK_COLOR_SPACE_PASS_THROUGH_EXT,
          VK_COLOR_SPACE_DCI_P3_NONLINEAR_EXT, VK_COLOR_SPACE_DOLBYVISION_EXT,
          VK_COLOR_SPACE_EXTENDED_SRGB_NONLINEAR_EXT})
        EXPECT_EQ(find_encoding(space, everything()), std::nullopt) << space;
}

TEST(Colour, NumbersOfNewerProtocolsAreIgnored) {
    ColourCapabilities compositor;
    compositor.parametric = true;
    for (const uint32_t number : {63u, 64u, 65u, 70u, UINT32_MAX}) {
        compositor.add_primaries(number);
        compositor.add_transfer(number);
    }
    EXPECT_EQ(described_spaces(compositor), Spaces());
}

TEST(Colour, FormatsHoldTheSpacesThatTheyCanExpress) {
    EXPECT_TRUE(can_hold(VK_COLOR_SPACE_SRGB_NONLINEAR_KHR, true, false));
    EXPECT_TRUE(can_hold(VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT, true, false));
    EXPECT_TRUE(can_hold(VK_COLOR_SPACE_PASS_THROUGH_EXT, true, false));
    EXPECT_FALSE(can_hold(VK_COLOR_SPACE_HDR10_ST2084_EXT, true, false));
    EXPECT_TRUE(can_hold(VK_COLOR_SPACE_HDR10_ST2084_EXT, false, false));
    EXPECT_FALSE(can_hold(VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT, false, false));
    EXPECT_TRUE(can_hold(VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT, false, true));
}

// --- metadata ---

constexpr ColourEncoding pq = {.primaries = Primaries::bt2020,
                               .transfer = TransferFunction::st2084_pq};
constexpr ColourEncoding hlg = {.primaries = Primaries::bt2020, .transfer = TransferFunction::hlg};

VkHdrMetadataEXT usual() {
    return {.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT,
            .pNext = nullptr,
            .displayPrimaryRed = {0.708f, 0.292f},
            .displayPrimaryGreen = {0.17f, 0.797f},
            .displayPrimaryBlue = {0.131f, 0.046f},
            .whitePoint = {0.3127f, 0.329f},
            .maxLuminance = 1000.4f,
            .minLuminance = 0.00504f,
            .maxContentLightLevel = 999.6f,
            .maxFrameAverageLightLevel = 400.0f};
}

HdrMetadata convert(const VkHdrMetadataEXT& metadata, const ColourEncoding& encoding = pq) {
    return convert_metadata(metadata, encoding, everything());
}

TEST(HdrMetadata, IsRoundedToTheUnitsOfTheProtocol) {
    const HdrMetadata converted = convert(usual());
    EXPECT_EQ(converted.mastering_primaries,
              (std::array{708000, 292000, 170000, 797000, 131000, 46000, 312700, 329000}));
    EXPECT_EQ(converted.mastering_luminance, (HdrMetadata::Luminance{50, 1000}));
    EXPECT_EQ(converted.max_cll, 1000u);
    EXPECT_EQ(converted.max_fall, 400u);
}

TEST(HdrMetadata, ZeroIsUnknown) {
    EXPECT_EQ(convert({.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT}), HdrMetadata());
    VkHdrMetadataEXT metadata = usual();
    metadata.whitePoint = {0, 0};
    EXPECT_EQ(convert(metadata).mastering_primaries, std::nullopt);
    EXPECT_TRUE(convert(metadata).mastering_luminance);
    metadata.maxLuminance = 0;
    EXPECT_EQ(convert(metadata).mastering_luminance, std::nullopt);
    metadata = usual();
    metadata.minLuminance = 0; // which is also the luminance of a black that emits nothing
    EXPECT_EQ(convert(metadata).mastering_luminance, (HdrMetadata::Luminance{0, 1000}));
}

TEST(HdrMetadata, TheMasteringDisplayNeedsTheCompositorsFeature) {
    ColourCapabilities compositor = everything();
    compositor.mastering = false;
    const HdrMetadata converted = convert_metadata(usual(), pq, compositor);
    EXPECT_EQ(converted.mastering_primaries, std::nullopt);
    EXPECT_EQ(converted.mastering_luminance, std::nullopt);
    EXPECT_EQ(converted.max_cll, 1000u);
}

// Each of these would be the protocol error invalid_luminance.
TEST(HdrMetadata, WhatWouldBeAProtocolErrorIsLeftOut) {
    VkHdrMetadataEXT metadata = usual();
    metadata.minLuminance = 1000;
    EXPECT_EQ(convert(metadata).mastering_luminance, std::nullopt);
    metadata = usual();
    metadata.maxContentLightLevel = 1001;
    EXPECT_EQ(convert(metadata).max_cll, std::nullopt);
    EXPECT_EQ(convert(metadata).max_fall, 400u);
    metadata = usual();
    metadata.maxFrameAverageLightLevel = 1000;
    metadata.maxContentLightLevel = 999;
    EXPECT_EQ(convert(metadata).max_cll, 999u);
    EXPECT_EQ(convert(metadata).max_fall, std::nullopt);
    metadata = usual();
    metadata.minLuminance = 400;
    EXPECT_EQ(convert(metadata).max_fall, std::nullopt);
}

TEST(HdrMetadata, WithoutMasteringLuminancesThoseOfTheTransferFunctionCount) {
    VkHdrMetadataEXT metadata = usual();
    metadata.maxLuminance = 0;
    metadata.maxContentLightLevel = 10000;
    EXPECT_EQ(convert(metadata).max_cll, 10000u);
    EXPECT_EQ(convert(metadata, hlg).max_cll, std::nullopt);
    metadata.maxContentLightLevel = 10001;
    EXPECT_EQ(convert(metadata).max_cll, std::nullopt);
}

TEST(HdrMetadata, ValuesThatAreNoNumbersAreUnknown) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), -1.0f, 1e30f}) {
        VkHdrMetadataEXT metadata = usual();
        metadata.displayPrimaryBlue.y = bad;
        metadata.minLuminance = bad;
        metadata.maxContentLightLevel = bad;
        metadata.maxFrameAverageLightLevel = bad;
        EXPECT_EQ(convert(metadata), HdrMetadata()) << bad;
    }
}

} // namespace
} // namespace fencebridge::core
