// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/present_completions.hpp"
#include "swapchain/present_timing.hpp"
#include "vk/newer_headers.hpp"

// The structures that extend VkPresentInfoKHR and have an element for each swapchain of the call.

namespace fencebridge::entry {

/// The application's structures; valid during the call only. A structure with fewer elements than
/// the call has swapchains is ignored.
class PresentExtras {
public:
    /// @param maintenance1  whether the application has enabled VK_KHR_swapchain_maintenance1 or
    ///                      VK_EXT_swapchain_maintenance1. If not, the structures of these are
    ///                      ignored
    PresentExtras(const VkPresentInfoKHR& info, bool maintenance1);

    // The elements of the swapchain with this index in the call.

    /// VkPresentIdKHR or VkPresentId2KHR. Their number 0 means none.
    [[nodiscard]] std::optional<core::PresentId> id(uint32_t i) const;
    /// VkPresentRegionsKHR: the parts that differ from the swapchain's last image. Empty: all of
    /// the image.
    [[nodiscard]] std::span<const VkRectLayerKHR> damage(uint32_t i) const;
    /// VkSwapchainPresentFenceInfoKHR; may be null.
    [[nodiscard]] VkFence fence(uint32_t i) const;
    /// VkSwapchainPresentModeInfoKHR: the mode from this present on.
    [[nodiscard]] std::optional<VkPresentModeKHR> mode(uint32_t i) const;
    /// VkPresentTimingsInfoEXT and VkPresentTimesInfoGOOGLE.
    [[nodiscard]] TimingWish wish(uint32_t i) const;

private:
    friend class PartOfExtras;

    const VkPresentRegionsKHR* regions_ = nullptr;
    const VkPresentIdKHR* ids_ = nullptr;
    const VkPresentId2KHR* ids2_ = nullptr;
    const VkDeviceGroupPresentInfoKHR* group_ = nullptr;
    const VkSwapchainPresentFenceInfoEXT* fences_ = nullptr;
    const VkSwapchainPresentModeInfoEXT* modes_ = nullptr;
    const VkPresentTimingsInfoEXT* timings_ = nullptr;
    const VkPresentTimesInfoGOOGLE* times_ = nullptr;
};

/// A chain of these structures for some swapchains of a call, which are presented to by a call of
/// their own. Other structures of the application's chain are left out: what they refer to is not
/// known.
class PartOfExtras {
public:
    /// @param of        must outlive this
    /// @param selected  indices of the swapchains in the application's call
    PartOfExtras(const PresentExtras& of, std::span<const uint32_t> selected);
    PartOfExtras(const PartOfExtras&) = delete;
    PartOfExtras& operator=(const PartOfExtras&) = delete;

    /// VkPresentInfoKHR::pNext, valid as long as this; null if there is no structure.
    [[nodiscard]] const void* chain() const { return first_; }

private:
    const void* first_ = nullptr;
    VkPresentRegionsKHR regions_ = {};
    std::vector<VkPresentRegionKHR> all_regions_;
    VkPresentIdKHR ids_ = {};
    std::vector<uint64_t> all_ids_;
    VkPresentId2KHR ids2_ = {};
    std::vector<uint64_t> all_ids2_;
    VkDeviceGroupPresentInfoKHR group_ = {};
    std::vector<uint32_t> all_masks_;
    VkSwapchainPresentFenceInfoEXT fences_ = {};
    std::vector<VkFence> all_fences_;
    VkSwapchainPresentModeInfoEXT modes_ = {};
    std::vector<VkPresentModeKHR> all_modes_;
    VkPresentTimingsInfoEXT timings_ = {};
    std::vector<VkPresentTimingInfoEXT> all_timings_;
    VkPresentTimesInfoGOOGLE times_ = {};
    std::vector<VkPresentTimeGOOGLE> all_times_;
};

} // namespace fencebridge::entry
