// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <span>

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

/// Takes the claim of VkSwapchainCreateInfoKHR::oldSwapchain if it is the driver's.
std::optional<WindowClaim> retire_drivers(Device& device, VkSwapchainKHR old) {
    auto node = device.driver_claims.with([&](auto& all) { return all.extract(old); });
    if (!node)
        return std::nullopt;
    return std::move(node.mapped());
}

VkResult refuse_second_swapchain() {
    log::error("vkCreateSwapchainKHR: another swapchain of this process presents to the window; "
               "destroy it, or pass it as oldSwapchain");
    return VK_ERROR_NATIVE_WINDOW_IN_USE_KHR;
}

/// Prepares a surface's native window for a swapchain of the driver's: the layer's retired
/// swapchains leave it.
/// @param retired  the claim of oldSwapchain
/// @return the swapchain's claim. Nothing if a swapchain of the layer's has one
std::optional<WindowClaim> claim_for_driver(Instance& instance, VkSurfaceKHR surface,
                                            std::optional<WindowClaim> retired) {
    // Used after the release of the lock: the application synchronises access to the surface.
    NativeSurface* const native = instance.native_surfaces.with([&](auto& all) {
        const auto found = all.find(surface);
        return found == all.end() ? nullptr : &found->second;
    });
    if (native == nullptr)
        return WindowClaim(); // of a window system that the layer does not know
    std::optional<WindowClaim> claim;
    if (retired && retired->is_to(native->window)) {
        retired->pass_to_driver();
        claim = std::move(retired);
    } else {
        claim = WindowClaim::claim(native->window, WindowClaim::Maker::driver);
    }
    if (claim) {
        if (!native->driver)
            native->driver = DriverPresence(native->window);
        native->leave_to_driver(native->window);
    }
    return claim;
}

/// Creates a swapchain of the driver's own. The driver must not see an old swapchain of the
/// layer's, which the application may have made through another VkSurfaceKHR of the same window.
/// @param retired  the claim of oldSwapchain if that is the layer's
VkResult create_driver_swapchain(Device& device, const VkSwapchainCreateInfoKHR& info,
                                 std::optional<WindowClaim> retired,
                                 const VkAllocationCallbacks* allocator,
                                 VkSwapchainKHR* swapchain) {
    if (device.vk.next.CreateSwapchainKHR == nullptr)
        return VK_ERROR_INITIALIZATION_FAILED;
    const bool old_is_ours = retired.has_value();
    if (!old_is_ours)
        retired = retire_drivers(device, info.oldSwapchain);
    auto claim = claim_for_driver(*device.instance, info.surface, std::move(retired));
    if (!claim)
        return refuse_second_swapchain();
    // An entry that is allocated before the call, so that nothing can fail after it.
    std::map<VkSwapchainKHR, WindowClaim> one;
    auto entry = one.extract(one.emplace(VK_NULL_HANDLE, std::move(*claim)).first);

    VkSwapchainCreateInfoKHR drivers = info;
    if (old_is_ours)
        drivers.oldSwapchain = VK_NULL_HANDLE;
    // A driver that does not know the flag may refuse it. The memory need not be deferred.
    if (device.has_maintenance1 && !device.driver_has_maintenance1)
        drivers.flags &= ~VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT;
    const VkResult result =
        device.vk.next.CreateSwapchainKHR(device.vk.handle, &drivers, allocator, swapchain);
    if (result != VK_SUCCESS)
        return result;
    entry.key() = *swapchain;
    device.driver_claims.with([&](auto& all) { all.insert(std::move(entry)); });
    return VK_SUCCESS;
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
            return create_driver_swapchain(*device, *create_info, std::move(retired), allocator,
                                           swapchain);
        Window& window = *taken_over->surface->window;
        // A driver's old swapchain has no claim from here on.
        if (!retired)
            static_cast<void>(retire_drivers(*device, create_info->oldSwapchain));
        // Claimed before anything is made on the window, and until all of that is destroyed.
        std::optional<WindowClaim> claim =
            retired && retired->is_to(window.native())
                ? std::move(retired)
                : WindowClaim::claim(window.native(), WindowClaim::Maker::layer);
        if (!claim)
            return refuse_second_swapchain();
        if (DriverPresence::is_on(window.native()))
            window.avoid_exclusive_objects();
        const SwapchainSettings settings = {
            .requested = device->instance->requested(),
            .present_wait = device->enabled.has(VK_KHR_PRESENT_WAIT_EXTENSION_NAME) ||
                            (create_info->flags & VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR) != 0,
            .maintenance1 = device->has_maintenance1,
            .timing = {
                .timing = (create_info->flags & VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT) != 0,
                .display_timing = device->enabled.has(VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME)}};
        auto created = Swapchain::create(device->vk, device->signaller, *taken_over->physical,
                                         window, *taken_over->support, *create_info, settings);
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
        if (node || device->vk.next.DestroySwapchainKHR == nullptr)
            return;
        // Extracted before the driver can give the same handle to another thread. The claim ends
        // after the driver has destroyed its objects.
        const auto claim =
            device->driver_claims.with([&](auto& all) { return all.extract(swapchain); });
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

VKAPI_ATTR VkResult VKAPI_CALL ReleaseSwapchainImages(VkDevice handle,
                                                      const VkReleaseSwapchainImagesInfoEXT* info) {
    return guarded([&] {
        const auto device = find_device(handle);
        if (const auto ours = device->find_swapchain(info->swapchain))
            return ours->release(std::span(info->pImageIndices, info->imageIndexCount));
        if (device->vk.next.ReleaseSwapchainImages != nullptr)
            return device->vk.next.ReleaseSwapchainImages(handle, info);
        // The images stay acquired. Most applications release images of a swapchain that they are
        // about to destroy.
        static std::atomic<bool> logged = false;
        if (!logged.exchange(true))
            log::warning("vkReleaseSwapchainImages has no effect: the swapchain is the driver's, "
                         "which lacks VK_EXT_swapchain_maintenance1");
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL SetHdrMetadataEXT(VkDevice handle, uint32_t count,
                                             const VkSwapchainKHR* swapchains,
                                             const VkHdrMetadataEXT* metadata) {
    // Guarded one by one: a swapchain for which memory is short does not keep the others from
    // their metadata.
    for (uint32_t i = 0; i < count; ++i)
        guarded_void([&] {
            const auto device = find_device(handle);
            if (const auto ours = device->find_swapchain(swapchains[i]))
                ours->set_hdr_metadata(metadata[i]);
            else if (device->vk.next.SetHdrMetadataEXT != nullptr)
                device->vk.next.SetHdrMetadataEXT(handle, 1, &swapchains[i], &metadata[i]);
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

// A surface of a window system that the layer supports can still be the driver's, and the driver
// may lack what the layer has offered. Its swapchains then answer that nothing is left to wait for.

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainStatusKHR(VkDevice handle, VkSwapchainKHR swapchain) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.GetSwapchainStatusKHR;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS : drivers(handle, swapchain);
        return ours->status();
    });
}

VKAPI_ATTR VkResult VKAPI_CALL WaitForPresentKHR(VkDevice handle, VkSwapchainKHR swapchain,
                                                 uint64_t present_id, uint64_t timeout) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.WaitForPresentKHR;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS
                                      : drivers(handle, swapchain, present_id, timeout);
        return ours->wait_for_present(core::PresentId{present_id}, timeout);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL WaitForPresent2KHR(VkDevice handle, VkSwapchainKHR swapchain,
                                                  const VkPresentWait2InfoKHR* info) {
    return guarded([&] {
        const auto device = find_device(handle);
        const auto ours = device->find_swapchain(swapchain);
        const auto drivers = device->vk.next.WaitForPresent2KHR;
        if (!ours)
            return drivers == nullptr ? VK_SUCCESS : drivers(handle, swapchain, info);
        return ours->wait_for_present(core::PresentId{info->presentId}, info->timeout);
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
