// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "entry/takeover.hpp"
#include "util/log.hpp"
#include "vk/enumerate.hpp"

// Each function handles the layer's own swapchains, and passes the driver's on.

namespace fencebridge::entry {

namespace {

/// Retires VkSwapchainCreateInfoKHR::oldSwapchain if it is the layer's. The application
/// synchronises access to the old swapchain.
/// @return the old swapchain's claim; nothing if it is null or the driver's
std::optional<WindowClaim> retire(Device& device, VkSwapchainKHR old) {
    const auto record = device.find_record(old);
    if (!record)
        return std::nullopt;
    record->swapchain->retire();
    return std::move(record->claim);
}

/// Creates a swapchain of the driver's own. The driver must not see an old swapchain of the
/// layer's, which the application may have made through another VkSurfaceKHR of the same window.
VkResult create_driver_swapchain(const Device& device, VkSwapchainCreateInfoKHR info,
                                 bool old_is_ours, const VkAllocationCallbacks* allocator,
                                 VkSwapchainKHR* swapchain) {
    if (device.vk.next.CreateSwapchainKHR == nullptr)
        return VK_ERROR_INITIALIZATION_FAILED;
    if (old_is_ours)
        info.oldSwapchain = VK_NULL_HANDLE;
    return device.vk.next.CreateSwapchainKHR(device.vk.handle, &info, allocator, swapchain);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchainKHR(VkDevice handle,
                                                  const VkSwapchainCreateInfoKHR* create_info,
                                                  const VkAllocationCallbacks* allocator,
                                                  VkSwapchainKHR* swapchain) {
    return guarded([&] {
        const auto device = find_device(handle);
        // The specification requires this also when the creation of the new swapchain fails.
        auto retired = retire(*device, create_info->oldSwapchain);
        std::optional<Takeover> taken_over;
        if (device->taken_over) {
            auto found =
                decide_takeover(*device->instance, device->vk.physical, create_info->surface);
            if (!found)
                return found.error();
            taken_over = std::move(*found);
        }
        if (!taken_over)
            return create_driver_swapchain(*device, *create_info, retired.has_value(), allocator,
                                           swapchain);
        Window& window = *taken_over->surface->window;
        // Claimed before anything is made on the window, and until all of that is destroyed.
        std::optional<WindowClaim> claim = retired && retired->is_to(window.native())
                                               ? std::move(retired)
                                               : WindowClaim::claim(window.native());
        if (!claim) {
            log::error("vkCreateSwapchainKHR: another swapchain of this process presents to the "
                       "window; destroy it, or pass it as oldSwapchain");
            return VK_ERROR_NATIVE_WINDOW_IN_USE_KHR;
        }
        auto created = Swapchain::create(device->vk, device->signaller, *taken_over->physical,
                                         window, *create_info, device->instance->settings.sync);
        if (!created)
            return created.error();

        auto record = std::make_shared<SwapchainRecord>(std::move(*claim), taken_over->surface,
                                                        std::move(*created));
        *swapchain = reinterpret_cast<VkSwapchainKHR>(record->swapchain.get());
        device->swapchains.with([&](auto& all) { all.emplace(*swapchain, std::move(record)); });
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySwapchainKHR(VkDevice handle, VkSwapchainKHR swapchain,
                                               const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        // Removed with the lock held, destroyed after its release.
        const auto node =
            device->swapchains.with([&](auto& all) { return all.extract(swapchain); });
        if (!node && device->vk.next.DestroySwapchainKHR != nullptr)
            device->vk.next.DestroySwapchainKHR(handle, swapchain, allocator);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainImagesKHR(VkDevice handle, VkSwapchainKHR swapchain,
                                                     uint32_t* count, VkImage* images) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        if (!ours)
            return device->vk.next.GetSwapchainImagesKHR(handle, swapchain, count, images);
        return vk::write_array(
            ours->images(), count, images,
            [](VkImage& to, const image::SwapchainImage& from) { to = from.image.get(); });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImageKHR(VkDevice handle, VkSwapchainKHR swapchain,
                                                   uint64_t timeout, VkSemaphore semaphore,
                                                   VkFence fence, uint32_t* image_index) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        if (!ours)
            return device->vk.next.AcquireNextImageKHR(handle, swapchain, timeout, semaphore, fence,
                                                       image_index);
        return ours->acquire(timeout, semaphore, fence, image_index);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImage2KHR(VkDevice handle,
                                                    const VkAcquireNextImageInfoKHR* info,
                                                    uint32_t* image_index) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(info->swapchain);
        if (!ours)
            return device->vk.next.AcquireNextImage2KHR(handle, info, image_index);
        // The device mask is ignored: a device that is taken over is one physical device.
        return ours->acquire(info->timeout, info->semaphore, info->fence, image_index);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetDeviceGroupPresentCapabilitiesKHR(
    VkDevice handle, VkDeviceGroupPresentCapabilitiesKHR* capabilities) {
    return guarded([&] {
        const auto device = find_device(handle);
        if (!device->taken_over)
            return device->vk.next.GetDeviceGroupPresentCapabilitiesKHR(handle, capabilities);
        std::ranges::fill(capabilities->presentMask, 0u);
        capabilities->presentMask[0] = 1;
        capabilities->modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
        return VK_SUCCESS;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetDeviceGroupSurfacePresentModesKHR(
    VkDevice handle, VkSurfaceKHR surface, VkDeviceGroupPresentModeFlagsKHR* modes) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto found = decide_takeover(*device->instance, device->vk.physical, surface);
        if (!found)
            return found.error();
        const bool taken_over = device->taken_over && found->has_value();
        if (!taken_over && device->vk.next.GetDeviceGroupSurfacePresentModesKHR != nullptr)
            return device->vk.next.GetDeviceGroupSurfacePresentModesKHR(handle, surface, modes);
        *modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
        return VK_SUCCESS;
    });
}

} // namespace fencebridge::entry
