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
    EXPECT_EQ(best_layouts(ranks, makeable), (LayoutRank{Placement::dma_buf, {3, 9}}));
}

// What the driver chose from a list and was refused, it would choose again from the same list or a
// part of it, but not for certain from a longer list.
TEST(BestLayouts, AreThoseOfTheFirstListThatIsNotKnownToBeRefused) {
    const MakeableLayouts refused = {
        .placement = Placement::dma_buf,
        .modifiers = makes,
        .refused = {{.modifiers = {1, 2}, .chosen = 1}, {.modifiers = {2, 3}}}};
    const auto best = [&](std::vector<uint64_t> first, std::vector<uint64_t> second) {
        const std::vector<LayoutRank> ranks = {{Placement::dma_buf, std::move(first)},
                                               {Placement::dma_buf, std::move(second)}};
        return best_layouts(ranks, std::vector{refused})->modifiers.front();
    };
    EXPECT_EQ(best({2, 1}, {3}), 3u);
    EXPECT_EQ(best({1}, {3}), 3u);
    EXPECT_EQ(best({2}, {3}), 2u);
    EXPECT_EQ(best({1, 2, 3}, {3}), 1u);
    // No image was made from this list. From another one, an image might be.
    EXPECT_EQ(best({3, 2}, {1, 3}), 1u);
    EXPECT_EQ(best({3}, {2}), 3u);
}

TEST(BestLayouts, AreNoneIfAllAreRefused) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {1}}};
    const std::vector<MakeableLayouts> makeable = {
        {Placement::dma_buf, {1}, {{.modifiers = {1}, .chosen = 1}}}};
    EXPECT_FALSE(best_layouts(ranks, makeable));
}

TEST(BestLayouts, AreNoneWithoutACommonLayout) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {7}}};
    EXPECT_FALSE(best_layouts(ranks, std::vector<MakeableLayouts>{{Placement::dma_buf, makes}}));
}

TEST(BestLayouts, TellHowTheMemoryReachesTheWindowSystem) {
    const std::vector<LayoutRank> ranks = {{Placement::dma_buf, {0}},
                                           {Placement::shared_memory, {0}}};
    const std::vector<MakeableLayouts> makeable = {{Placement::shared_memory, {0}},
                                                   {Placement::dma_buf, {0}}};
    EXPECT_EQ(best_layouts(ranks, makeable), (LayoutRank{Placement::shared_memory, {0}}));
}

} // namespace
} // namespace fencebridge::core
