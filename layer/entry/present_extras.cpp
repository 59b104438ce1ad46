// SPDX-License-Identifier: MIT
#include "entry/present_extras.hpp"

#include <algorithm>

#include "vk/chain.hpp"

namespace fencebridge::entry {

namespace {

/// The structure of that type, if it has an element for each swapchain.
template <class T>
const T* find(const VkPresentInfoKHR& info) {
    const T* const found = vk::find<T>(info.pNext);
    return found != nullptr && found->swapchainCount >= info.swapchainCount ? found : nullptr;
}

/// The elements of the selected swapchains; none if the array is null.
template <class T>
std::vector<T> select(const T* all, std::span<const uint32_t> selected) {
    std::vector<T> some;
    for (const uint32_t i : all == nullptr ? std::span<const uint32_t>() : selected)
        some.push_back(all[i]);
    return some;
}

} // namespace

PresentExtras::PresentExtras(const VkPresentInfoKHR& info, bool maintenance1) {
    if (info.pNext == nullptr)
        return;
    regions_ = find<VkPresentRegionsKHR>(info);
    ids_ = find<VkPresentIdKHR>(info);
    ids2_ = find<VkPresentId2KHR>(info);
    group_ = find<VkDeviceGroupPresentInfoKHR>(info);
    timings_ = find<VkPresentTimingsInfoEXT>(info);
    times_ = find<VkPresentTimesInfoGOOGLE>(info);
    if (maintenance1) {
        fences_ = find<VkSwapchainPresentFenceInfoEXT>(info);
        modes_ = find<VkSwapchainPresentModeInfoEXT>(info);
    }
}

std::optional<core::PresentId> PresentExtras::id(uint32_t i) const {
    const auto number = [&](const auto* ids) {
        return ids == nullptr || ids->pPresentIds == nullptr ? 0 : ids->pPresentIds[i];
    };
    const uint64_t id = std::max(number(ids_), number(ids2_));
    return id == 0 ? std::nullopt : std::optional(core::PresentId{id});
}

std::span<const VkRectLayerKHR> PresentExtras::damage(uint32_t i) const {
    if (regions_ == nullptr || regions_->pRegions == nullptr ||
        regions_->pRegions[i].pRectangles == nullptr)
        return {};
    return std::span(regions_->pRegions[i].pRectangles, regions_->pRegions[i].rectangleCount);
}

VkFence PresentExtras::fence(uint32_t i) const {
    return fences_ == nullptr ? VK_NULL_HANDLE : fences_->pFences[i];
}

std::optional<VkPresentModeKHR> PresentExtras::mode(uint32_t i) const {
    return modes_ == nullptr ? std::nullopt : std::optional(modes_->pPresentModes[i]);
}

TimingWish PresentExtras::wish(uint32_t i) const {
    const bool has_timing = timings_ != nullptr && timings_->pTimingInfos != nullptr;
    const bool has_time = times_ != nullptr && times_->pTimes != nullptr;
    return {.timing = has_timing ? &timings_->pTimingInfos[i] : nullptr,
            .time = has_time ? &times_->pTimes[i] : nullptr};
}

PartOfExtras::PartOfExtras(const PresentExtras& of, std::span<const uint32_t> selected) {
    // `array` is the member of `copy` that points to the elements.
    const auto add = [&]<class T, class E>(const T* from, T& copy, std::vector<E>& elements,
                                           const E* T::*array) {
        if (from == nullptr)
            return;
        elements = select(from->*array, selected);
        copy = *from;
        copy.*array = elements.empty() ? nullptr : elements.data();
        copy.swapchainCount = static_cast<uint32_t>(selected.size());
        copy.pNext = const_cast<decltype(copy.pNext)>(first_);
        first_ = &copy;
    };
    add(of.regions_, regions_, all_regions_, &VkPresentRegionsKHR::pRegions);
    add(of.ids_, ids_, all_ids_, &VkPresentIdKHR::pPresentIds);
    add(of.ids2_, ids2_, all_ids2_, &VkPresentId2KHR::pPresentIds);
    add(of.group_, group_, all_masks_, &VkDeviceGroupPresentInfoKHR::pDeviceMasks);
    add(of.fences_, fences_, all_fences_, &VkSwapchainPresentFenceInfoEXT::pFences);
    add(of.modes_, modes_, all_modes_, &VkSwapchainPresentModeInfoEXT::pPresentModes);
    add(of.timings_, timings_, all_timings_, &VkPresentTimingsInfoEXT::pTimingInfos);
    add(of.times_, times_, all_times_, &VkPresentTimesInfoGOOGLE::pTimes);
}

} // namespace fencebridge::entry
