// SPDX-License-Identifier: MIT
#include "core/layout_choice.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using Lists = std::vector<std::vector<uint64_t>>;

const std::vector<uint64_t> makes = {1, 2, 3};

TEST(CommonLayouts, AreListedRankByRankInTheWindowSystemsOrder) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {3, 1}}, {Placement::dma_buf, {2}}};
    EXPECT_EQ(common_layouts(ranks, Placement::dma_buf, makes), (Lists{{3, 1}, {2}}));
}

TEST(CommonLayouts, ARankWithoutCommonLayoutsIsLeftOut) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {7}}, {Placement::dma_buf, {7, 2}}};
    EXPECT_EQ(common_layouts(ranks, Placement::dma_buf, makes), (Lists{{2}}));
}

TEST(CommonLayouts, ARankForAnyModifierHasAllThatTheAllocatorMakes) {
    const std::vector<LayoutRank> ranks = {
        {.placement = Placement::dma_buf, .modifiers = {}, .any = true}};
    EXPECT_EQ(common_layouts(ranks, Placement::dma_buf, makes), (Lists{makes}));
}

TEST(CommonLayouts, AnAllocatorThatMakesNothingHasNone) {
    const std::vector<LayoutRank> ranks = {
        {.placement = Placement::dma_buf, .modifiers = {}, .any = true}, {Placement::dma_buf, {1}}};
    EXPECT_EQ(common_layouts(ranks, Placement::dma_buf, {}), Lists{});
}

TEST(BestLayouts, AreTheBestCommonOnesOfTheFirstAllocatorThatHasAny) {
    const std::vector<LayoutRank> ranks = {
        {Placement::dma_buf, {7}}, {Placement::dma_buf, {3, 8, 9}}, {Placement::dma_buf, {1}}};
    const std::vector<MakeableLayouts> makeable = {
        {Placement::dma_buf, {5}}, {Placement::dma_buf, {1, 9, 3}}, {Placement::dma_buf, {7}}};
    EXPECT_EQ(best_layouts(ranks, makeable), (std::vector<uint64_t>{3, 9}));
}

TEST(BestLayouts, AreNoneWithoutACommonLayout) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {7}}};
    EXPECT_TRUE(
        best_layouts(ranks, std::vector<MakeableLayouts>{{Placement::dma_buf, makes}}).empty());
}

} // namespace
} // namespace fencebridge::core
