// SPDX-License-Identifier: MIT
#include "entry/present_extras.hpp"

#include <array>
#include <gtest/gtest.h>

namespace fencebridge::entry {
namespace {

// The handle is a pointer on 64-bit machines and a number on others: this cast does both.
VkFence fence(uintptr_t number) { return (VkFence)number; }

/// All structures of a present to three swapchains.
struct Chain {
    Chain() {
        ids.pNext = &group;
        group.pNext = &fences;
        fences.pNext = &modes;
        ids2.pNext = &ids;
        modes.pNext = &regions;
        regions.pNext = &timings;
        timings.pNext = &times;
        all_timings[2].targetTime = 300;
    }
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    [[nodiscard]] VkPresentInfoKHR info(uint32_t swapchains = 3) const {
        VkPresentInfoKHR all = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, .pNext = &ids2};
        all.swapchainCount = swapchains;
        return all;
    }

    std::array<VkRectLayerKHR, 2> rectangles = {{{{1, 2}, {3, 4}, 0}, {{5, 6}, {7, 8}, 0}}};
    std::array<VkPresentRegionKHR, 3> all_regions = {
        {{0, nullptr}, {2, rectangles.data()}, {1, rectangles.data()}}};
    std::array<uint64_t, 3> all_ids = {10, 0, 12};
    std::array<uint64_t, 3> all_ids2 = {0, 0, 13};
    std::array<uint32_t, 3> all_masks = {1, 2, 4};
    std::array<VkFence, 3> all_fences = {fence(1), VK_NULL_HANDLE, fence(3)};
    std::array<VkPresentModeKHR, 3> all_modes = {
        VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR};
    std::array<VkPresentTimingInfoEXT, 3> all_timings = {};
    std::array<VkPresentTimeGOOGLE, 3> all_times = {{{1, 10}, {2, 20}, {3, 30}}};
    VkPresentTimingsInfoEXT timings = {VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT, nullptr, 3,
                                       all_timings.data()};
    VkPresentTimesInfoGOOGLE times = {VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE, nullptr, 3,
                                      all_times.data()};
    VkPresentRegionsKHR regions = {VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 3,
                                   all_regions.data()};
    VkPresentIdKHR ids = {VK_STRUCTURE_TYPE_PRESENT_ID_KHR, nullptr, 3, all_ids.data()};
    VkPresentId2KHR ids2 = {VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR, nullptr, 3, all_ids2.data()};
    VkDeviceGroupPresentInfoKHR group = {VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR, nullptr,
                                         3, all_masks.data(),
                                         VK_DEVICE_GROUP_PRESENT_MODE_SUM_BIT_KHR};
    VkSwapchainPresentFenceInfoEXT fences = {VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
                                             nullptr, 3, all_fences.data()};
    VkSwapchainPresentModeInfoEXT modes = {VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
                                           nullptr, 3, all_modes.data()};
};

TEST(PresentExtras, AreEmptyWithoutStructures) {
    const VkPresentInfoKHR info = {.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                   .swapchainCount = 1};
    const PresentExtras extras(info, true);
    EXPECT_EQ(extras.id(0), std::nullopt);
    EXPECT_TRUE(extras.damage(0).empty());
    EXPECT_EQ(extras.fence(0), VkFence(VK_NULL_HANDLE));
    EXPECT_EQ(extras.mode(0), std::nullopt);
    EXPECT_EQ(extras.wish(0).timing, nullptr);
    EXPECT_EQ(extras.wish(0).time, nullptr);
    EXPECT_EQ(PartOfExtras(extras, std::array{0u}).chain(), nullptr);
}

TEST(PresentExtras, HaveAnElementForEachSwapchain) {
    const Chain chain;
    const PresentExtras extras(chain.info(), true);
    EXPECT_EQ(extras.id(0), core::PresentId{10});
    EXPECT_EQ(extras.id(1), std::nullopt);
    EXPECT_EQ(extras.id(2), core::PresentId{13});
    EXPECT_EQ(extras.damage(0).size(), 0u);
    EXPECT_EQ(extras.damage(1).data(), chain.rectangles.data());
    EXPECT_EQ(extras.damage(1).size(), 2u);
    EXPECT_EQ(extras.damage(2).size(), 1u);
    EXPECT_EQ(extras.fence(0), fence(1));
    EXPECT_EQ(extras.fence(1), VkFence(VK_NULL_HANDLE));
    EXPECT_EQ(extras.fence(2), fence(3));
    EXPECT_EQ(extras.mode(1), VK_PRESENT_MODE_MAILBOX_KHR);
    EXPECT_EQ(extras.wish(1).timing, &chain.all_timings[1]);
    EXPECT_EQ(extras.wish(2).time, &chain.all_times[2]);
}

TEST(PresentExtras, HaveNeitherFencesNorModesIfTheirExtensionIsNotEnabled) {
    const Chain chain;
    const PresentExtras extras(chain.info(), false);
    EXPECT_EQ(extras.damage(1).size(), 2u);
    EXPECT_EQ(extras.fence(0), VkFence(VK_NULL_HANDLE));
    EXPECT_EQ(extras.mode(0), std::nullopt);
}

TEST(PresentExtras, AreIgnoredIfTheyLackElements) {
    const Chain chain;
    const PresentExtras extras(chain.info(4), true);
    EXPECT_TRUE(extras.damage(1).empty());
    EXPECT_EQ(extras.fence(0), VkFence(VK_NULL_HANDLE));
    EXPECT_EQ(extras.mode(0), std::nullopt);
    EXPECT_EQ(extras.wish(0).timing, nullptr);
}

TEST(PresentExtras, MayHaveNoArrayOfRegions) {
    Chain chain;
    chain.regions.pRegions = nullptr;
    EXPECT_TRUE(PresentExtras(chain.info(), true).damage(1).empty());
}

/// The structure of that type in a chain, or null.
template <class T>
const T* find_in(const void* chain, VkStructureType type) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (node->sType == type)
            return reinterpret_cast<const T*>(node);
    }
    return nullptr;
}

size_t length(const void* chain) {
    size_t count = 0;
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext)
        ++count;
    return count;
}

TEST(PartOfExtras, HasTheElementsOfTheSelectedSwapchains) {
    const Chain chain;
    const PresentExtras extras(chain.info(), true);
    const PartOfExtras part(extras, std::array{0u, 2u});
    EXPECT_EQ(length(part.chain()), 8u);

    const auto* regions = find_in<VkPresentRegionsKHR>(part.chain(), chain.regions.sType);
    ASSERT_NE(regions, nullptr);
    EXPECT_EQ(regions->swapchainCount, 2u);
    EXPECT_EQ(regions->pRegions[0].rectangleCount, 0u);
    EXPECT_EQ(regions->pRegions[1].pRectangles, chain.rectangles.data());

    const auto* ids = find_in<VkPresentIdKHR>(part.chain(), chain.ids.sType);
    ASSERT_NE(ids, nullptr);
    EXPECT_EQ(ids->swapchainCount, 2u);
    EXPECT_EQ(ids->pPresentIds[0], 10u);
    EXPECT_EQ(ids->pPresentIds[1], 12u);

    const auto* ids2 = find_in<VkPresentId2KHR>(part.chain(), chain.ids2.sType);
    ASSERT_NE(ids2, nullptr);
    EXPECT_EQ(ids2->swapchainCount, 2u);
    EXPECT_EQ(ids2->pPresentIds[1], 13u);

    const auto* group = find_in<VkDeviceGroupPresentInfoKHR>(part.chain(), chain.group.sType);
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(group->swapchainCount, 2u);
    EXPECT_EQ(group->pDeviceMasks[1], 4u);
    EXPECT_EQ(group->mode, VK_DEVICE_GROUP_PRESENT_MODE_SUM_BIT_KHR);

    const auto* fences = find_in<VkSwapchainPresentFenceInfoEXT>(part.chain(), chain.fences.sType);
    ASSERT_NE(fences, nullptr);
    EXPECT_EQ(fences->swapchainCount, 2u);
    EXPECT_EQ(fences->pFences[0], fence(1));
    EXPECT_EQ(fences->pFences[1], fence(3));

    const auto* modes = find_in<VkSwapchainPresentModeInfoEXT>(part.chain(), chain.modes.sType);
    ASSERT_NE(modes, nullptr);
    EXPECT_EQ(modes->swapchainCount, 2u);
    EXPECT_EQ(modes->pPresentModes[1], VK_PRESENT_MODE_IMMEDIATE_KHR);

    const auto* timings = find_in<VkPresentTimingsInfoEXT>(part.chain(), chain.timings.sType);
    ASSERT_NE(timings, nullptr);
    EXPECT_EQ(timings->swapchainCount, 2u);
    EXPECT_EQ(timings->pTimingInfos[1].targetTime, 300u);

    const auto* times = find_in<VkPresentTimesInfoGOOGLE>(part.chain(), chain.times.sType);
    ASSERT_NE(times, nullptr);
    EXPECT_EQ(times->swapchainCount, 2u);
    EXPECT_EQ(times->pTimes[1].presentID, 3u);
}

TEST(PartOfExtras, LeavesTheApplicationsStructuresAsTheyAre) {
    const Chain chain;
    const PresentExtras extras(chain.info(), true);
    const PartOfExtras part(extras, std::array{1u});
    EXPECT_EQ(chain.ids.swapchainCount, 3u);
    EXPECT_EQ(chain.ids.pNext, &chain.group);
    EXPECT_EQ(chain.ids.pPresentIds, chain.all_ids.data());
    EXPECT_EQ(length(&chain.ids2), 8u);
}

TEST(PartOfExtras, KeepsAStructureWithoutAnArray) {
    Chain chain;
    chain.regions.pRegions = nullptr;
    const PresentExtras extras(chain.info(), true);
    const PartOfExtras part(extras, std::array{1u});
    const auto* regions = find_in<VkPresentRegionsKHR>(part.chain(), chain.regions.sType);
    ASSERT_NE(regions, nullptr);
    EXPECT_EQ(regions->swapchainCount, 1u);
    EXPECT_EQ(regions->pRegions, nullptr);
}

TEST(PartOfExtras, LeavesOutOtherStructures) {
    Chain chain;
    const VkBaseInStructure other = {static_cast<VkStructureType>(1999999000), nullptr};
    chain.times.pNext = &other;
    const PresentExtras extras(chain.info(), true);
    const PartOfExtras part(extras, std::array{1u});
    EXPECT_EQ(find_in<VkBaseInStructure>(part.chain(), other.sType), nullptr);
    EXPECT_EQ(length(part.chain()), 8u);
}

} // namespace
} // namespace fencebridge::entry
