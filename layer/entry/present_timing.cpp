// SPDX-License-Identifier: MIT
#include "core/frame_pacing.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "util/log.hpp"

// VK_EXT_present_timing and VK_GOOGLE_display_timing. Each function handles the layer's own
// swapchains, and passes the driver's on. A surface of a window system that the layer supports can
// still be the driver's, and the driver may lack what the layer has offered. Its swapchains then
// answer that nothing is known.

namespace fencebridge::entry {

namespace {

/// Calls use(timing) for a swapchain that was created with
/// VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT, as VK_EXT_present_timing demands.
template <class Use>
VkResult with_timing(Swapchain& swapchain, const char* command, Use&& use) {
    PresentTiming* const timing = swapchain.timing();
    if (timing == nullptr || !timing->uses_ext_present_timing()) {
        log::error("%s: the swapchain was created without "
                   "VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT",
                   command);
        return VK_ERROR_VALIDATION_FAILED_EXT;
    }
    return use(*timing);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL SetSwapchainPresentTimingQueueSizeEXT(VkDevice handle,
                                                                     VkSwapchainKHR swapchain,
                                                                     uint32_t size) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.SetSwapchainPresentTimingQueueSizeEXT;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS : drivers(handle, swapchain, size);
        return with_timing(*ours, "vkSetSwapchainPresentTimingQueueSizeEXT",
                           [&](PresentTiming& timing) { return timing.resize(size); });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
GetSwapchainTimingPropertiesEXT(VkDevice handle, VkSwapchainKHR swapchain,
                                VkSwapchainTimingPropertiesEXT* properties, uint64_t* counter) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.GetSwapchainTimingPropertiesEXT;
        if (!ours)
            return drivers == nullptr ? VK_NOT_READY
                                      : drivers(handle, swapchain, properties, counter);
        return with_timing(*ours, "vkGetSwapchainTimingPropertiesEXT", [&](PresentTiming& timing) {
            if (const VkResult result = ours->update_timing(); result != VK_SUCCESS)
                return result;
            return timing.properties(*properties, counter);
        });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainTimeDomainPropertiesEXT(
    VkDevice handle, VkSwapchainKHR swapchain, VkSwapchainTimeDomainPropertiesEXT* domains,
    uint64_t* counter) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.GetSwapchainTimeDomainPropertiesEXT;
        if (!ours && drivers == nullptr)
            domains->timeDomainCount = 0;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS : drivers(handle, swapchain, domains, counter);
        return with_timing(
            *ours, "vkGetSwapchainTimeDomainPropertiesEXT",
            [&](PresentTiming& timing) { return timing.time_domains(*domains, counter); });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
GetPastPresentationTimingEXT(VkDevice handle, const VkPastPresentationTimingInfoEXT* info,
                             VkPastPresentationTimingPropertiesEXT* properties) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(info->swapchain);
        const auto drivers = device->vk.next.GetPastPresentationTimingEXT;
        if (!ours && drivers == nullptr)
            properties->presentationTimingCount = 0;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS : drivers(handle, info, properties);
        return with_timing(*ours, "vkGetPastPresentationTimingEXT", [&](PresentTiming& timing) {
            if (const VkResult result = ours->update_timing(); result != VK_SUCCESS)
                return result;
            return timing.past(info->flags, *properties);
        });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetRefreshCycleDurationGOOGLE(
    VkDevice handle, VkSwapchainKHR swapchain, VkRefreshCycleDurationGOOGLE* refresh) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.GetRefreshCycleDurationGOOGLE;
        if (!ours && drivers != nullptr)
            return drivers(handle, swapchain, refresh);
        if (!ours || ours->timing() == nullptr) {
            refresh->refreshDuration = static_cast<uint64_t>(core::usual_refresh.count());
            return VK_SUCCESS;
        }
        if (const VkResult result = ours->update_timing(); result != VK_SUCCESS)
            return result;
        refresh->refreshDuration = ours->timing()->refresh_duration();
        return VK_SUCCESS;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
GetPastPresentationTimingGOOGLE(VkDevice handle, VkSwapchainKHR swapchain, uint32_t* count,
                                VkPastPresentationTimingGOOGLE* timings) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.GetPastPresentationTimingGOOGLE;
        if (!ours && drivers != nullptr)
            return drivers(handle, swapchain, count, timings);
        if (!ours || ours->timing() == nullptr) {
            *count = 0;
            return VK_SUCCESS;
        }
        if (const VkResult result = ours->update_timing(); result != VK_SUCCESS)
            return result;
        return ours->timing()->past(*count, timings);
    });
}

} // namespace fencebridge::entry
