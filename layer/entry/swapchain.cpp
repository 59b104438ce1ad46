// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <vector>

#include "core/frame_pacing.hpp"
#include "core/present_result.hpp"
#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/registry.hpp"
#include "sync/cpu_bridge.hpp"
#include "util/log.hpp"
#include "vk/enumerate.hpp"

// Each function serves the layer's own swapchains, and passes the driver's on.

namespace fencebridge::entry {

namespace {

/// VkSwapchainCreateInfoKHR::oldSwapchain is retired whether or not the new one comes to be.
/// @return the claim that it had; both are externally synchronised
WindowClaim retire(Device& device, VkSwapchainKHR old) {
    const auto record = device.find_record(old);
    if (!record)
        return {};
    record->chain->retire();
    return std::move(record->claim);
}

/// The claim for a new swapchain: that of the old one, or a new one.
std::optional<WindowClaim> claim_window(Device& device, const Window& window, VkSwapchainKHR old) {
    WindowClaim retired = retire(device, old);
    return retired.is_to(window.native()) ? std::move(retired) : WindowClaim::take(window.native());
}

/// A swapchain of the driver's own. The old one may be the layer's, through another VkSurfaceKHR of
/// the same window: the driver does not know it.
VkResult create_drivers(Device& device, const VkSwapchainCreateInfoKHR& info,
                        const VkAllocationCallbacks* allocator, VkSwapchainKHR* swapchain) {
    if (device.vk.next.CreateSwapchainKHR == nullptr)
        return VK_ERROR_INITIALIZATION_FAILED;
    if (!device.find_record(info.oldSwapchain))
        return device.vk.next.CreateSwapchainKHR(device.vk.handle, &info, allocator, swapchain);
    static_cast<void>(retire(device, info.oldSwapchain));
    VkSwapchainCreateInfoKHR without_old = info;
    without_old.oldSwapchain = VK_NULL_HANDLE;
    return device.vk.next.CreateSwapchainKHR(device.vk.handle, &without_old, allocator, swapchain);
}

/// A vkQueuePresentKHR, taken apart by who has each swapchain.
struct Presentation {
    std::vector<std::shared_ptr<Swapchain>> ours; ///< null for the driver's
    std::vector<VkSwapchainKHR> drivers;
    std::vector<uint32_t> drivers_images;
    std::vector<VkResult> results;
};

Presentation take_apart(Device& device, const VkPresentInfoKHR& info) {
    Presentation presentation;
    presentation.results.resize(info.swapchainCount, VK_SUCCESS);
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        presentation.ours.push_back(device.find_swapchain(info.pSwapchains[i]));
        if (presentation.ours.back())
            continue;
        presentation.drivers.push_back(info.pSwapchains[i]);
        presentation.drivers_images.push_back(info.pImageIndices[i]);
    }
    return presentation;
}

/// One of the layer's swapchains in a call.
struct Place {
    uint32_t index;
    core::CommitWait wait;
};

/// The layer's swapchains of a call, in the order in which to present them: first those that need
/// not wait for their turn, last those of hidden windows, so that no window holds up one that waits
/// less. The waits overlap: each ends core::Pace::patience after its callback was requested, which
/// was before this call.
std::vector<Place> presenting_order(const Presentation& presentation) {
    std::vector<Place> order;
    for (uint32_t i = 0; i < presentation.ours.size(); ++i) {
        if (!presentation.ours[i])
            continue;
        const bool alone = presentation.ours.size() == 1;
        order.push_back(
            {i, alone ? core::CommitWait::none : presentation.ours[i]->expected_wait()});
    }
    std::ranges::stable_sort(order, {}, &Place::wait);
    return order;
}

/// Presents what is the driver's in a call that had some of both. Its rendering is waited for
/// here, since a semaphore can be waited for once, and has been. Structures in pNext, which count
/// swapchains as the application did, are left out.
void present_drivers(Device& device, VkQueue queue, Presentation& presentation,
                     const Fd& rendering) {
    std::vector<VkResult> results(presentation.drivers.size(), VK_SUCCESS);
    const VkPresentInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .swapchainCount = static_cast<uint32_t>(presentation.drivers.size()),
        .pSwapchains = presentation.drivers.data(),
        .pImageIndices = presentation.drivers_images.data(),
        .pResults = results.data(),
    };
    VkResult result = sync::wait_for(rendering);
    if (result == VK_SUCCESS)
        result = device.vk.next.QueuePresentKHR(queue, &info);
    // What is no swapchain's own result is everyone's.
    if (core::is_of_whole_call(result))
        std::ranges::fill(results, result);
    size_t next = 0;
    for (size_t i = 0; i < presentation.ours.size(); ++i) {
        if (!presentation.ours[i])
            presentation.results[i] = results[next++];
    }
}

VkResult present(Device& device, VkQueue queue, const VkPresentInfoKHR& info) {
    Presentation presentation = take_apart(device, info);
    if (presentation.drivers.size() == info.swapchainCount)
        return device.vk.next.QueuePresentKHR(queue, &info);

    const auto rendering =
        device.renderings.take(queue, std::span(info.pWaitSemaphores, info.waitSemaphoreCount));
    if (!rendering) {
        if (info.pResults != nullptr)
            std::fill_n(info.pResults, info.swapchainCount, rendering.error());
        return rendering.error();
    }
    const auto order = presenting_order(presentation);
    const bool one_is_seen = order.front().wait != core::CommitWait::hidden;
    for (const auto& [i, wait] : order)
        presentation.results[i] = presentation.ours[i]->present(
            info.pImageIndices[i], *rendering, core::choose_turn(wait, one_is_seen));
    if (!presentation.drivers.empty())
        present_drivers(device, queue, presentation, *rendering);

    VkResult worst = VK_SUCCESS;
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        worst = core::worse(worst, presentation.results[i]);
        if (info.pResults != nullptr)
            info.pResults[i] = presentation.results[i];
    }
    return worst;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchainKHR(VkDevice handle,
                                                  const VkSwapchainCreateInfoKHR* create_info,
                                                  const VkAllocationCallbacks* allocator,
                                                  VkSwapchainKHR* swapchain) {
    return guarded([&] {
        const auto device = find_device(handle);
        Instance& instance = *device->instance;
        using Found = std::expected<std::optional<Served>, VkResult>;
        const Found found = device->served
                                ? find_served(instance, device->vk.physical, create_info->surface)
                                : Found(std::nullopt);
        if (!found)
            return found.error();
        const std::optional<Served>& served = *found;
        if (!served)
            return create_drivers(*device, *create_info, allocator, swapchain);
        // Before anything is made on the window, and until all of it is gone.
        auto claim = claim_window(*device, *served->surface->window, create_info->oldSwapchain);
        if (!claim) {
            log::error("vkCreateSwapchainKHR: another swapchain of this process presents to the "
                       "window; destroy it, or pass it as oldSwapchain");
            return VK_ERROR_NATIVE_WINDOW_IN_USE_KHR;
        }
        auto created =
            Swapchain::create(device->vk, device->payloads, *served->physical,
                              *served->surface->window, *create_info, instance.settings.sync);
        if (!created)
            return created.error();

        auto record = std::make_shared<SwapchainRecord>(std::move(*claim), served->surface,
                                                        std::move(*created));
        *swapchain = reinterpret_cast<VkSwapchainKHR>(record->chain.get());
        device->swapchains.with([&](auto& all) { all.emplace(*swapchain, std::move(record)); });
        return VK_SUCCESS;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySwapchainKHR(VkDevice handle, VkSwapchainKHR swapchain,
                                               const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        // Taken out under the lock, destroyed after it.
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
        return vk::give(
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
        // A served device is one physical device: the mask can only mean that one.
        return ours->acquire(info->timeout, info->semaphore, info->fence, image_index);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    return guarded([&] { return present(*find_device(queue), queue, *info); });
}

VKAPI_ATTR VkResult VKAPI_CALL GetDeviceGroupPresentCapabilitiesKHR(
    VkDevice handle, VkDeviceGroupPresentCapabilitiesKHR* capabilities) {
    return guarded([&] {
        const auto device = find_device(handle);
        if (!device->served)
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
        const auto found = find_served(*device->instance, device->vk.physical, surface);
        if (!found)
            return found.error();
        const bool served = device->served && found->has_value();
        if (!served && device->vk.next.GetDeviceGroupSurfacePresentModesKHR != nullptr)
            return device->vk.next.GetDeviceGroupSurfacePresentModesKHR(handle, surface, modes);
        *modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
        return VK_SUCCESS;
    });
}

} // namespace fencebridge::entry
