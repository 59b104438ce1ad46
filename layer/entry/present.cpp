// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/frame_pacing.hpp"
#include "core/present_result.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/present_extras.hpp"
#include "entry/registry.hpp"
#include "sync/fence_poll.hpp"
#include "util/deadline.hpp"

// vkQueuePresentKHR, and the semaphores that it waits for.

namespace fencebridge::entry {

namespace {

/// A vkQueuePresentKHR, split into the layer's and the driver's swapchains.
struct SplitPresent {
    std::vector<std::shared_ptr<Swapchain>> ours; ///< one per swapchain; null for the driver's
    std::vector<uint32_t> drivers;                ///< the indices of the driver's swapchains
    std::vector<VkSwapchainKHR> driver_swapchains;
    std::vector<uint32_t> driver_images;
    std::vector<VkResult> results;        ///< one per swapchain
    std::vector<VkResult> driver_results; ///< one per swapchain of the driver's
};

SplitPresent split(Device& device, const VkPresentInfoKHR& info) {
    SplitPresent present = {.results = std::vector(info.swapchainCount, VK_SUCCESS)};
    present.ours.reserve(info.swapchainCount);
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        present.ours.push_back(device.find_swapchain(info.pSwapchains[i]));
        if (present.ours.back())
            continue;
        present.drivers.push_back(i);
        present.driver_swapchains.push_back(info.pSwapchains[i]);
        present.driver_images.push_back(info.pImageIndices[i]);
    }
    if (!present.drivers.empty())
        present.driver_results.assign(present.drivers.size(), VK_SUCCESS);
    return present;
}

/// One of the layer's swapchains in a call, by its position there.
struct OrderedSwapchain {
    uint32_t index;
    core::ExpectedWait wait;
};

/// The order in which to present to the layer's swapchains of a call: first the ones that need not
/// wait for their turn, then those that wait for a refresh, then the ones of hidden windows, last
/// those whose images have to wait for a time. No window of the layer's delays another one that
/// waits less. (A window that is known to be hidden waits
/// only if no other window of the call is visible.) The waits do not add up: each ends at the
/// latest core::Pace::callback_timeout after its callback was requested, which was before this call
/// unless the call presents to one window twice; or at a time, which is the same however long the
/// waits before it were.
std::vector<OrderedSwapchain> presenting_order(const SplitPresent& present,
                                               const PresentExtras& extras,
                                               Clock::time_point called) {
    std::vector<OrderedSwapchain> order;
    order.reserve(present.ours.size());
    for (uint32_t i = 0; i < present.ours.size(); ++i) {
        if (!present.ours[i])
            continue;
        const bool alone = present.ours.size() == 1;
        order.push_back(
            {i, alone ? core::ExpectedWait()
                      : present.ours[i]->estimate_wait(extras.mode(i), extras.wish(i), called)});
    }
    if (order.size() > 1)
        std::ranges::stable_sort(order, {}, &OrderedSwapchain::wait);
    return order;
}

/// The request for one swapchain of a call. VkDeviceGroupPresentInfoKHR is ignored: a device that
/// is taken over is one physical device. The extensions of other structures with an element for
/// each swapchain, which PresentExtras does not read, are hidden.
PresentRequest request_of(VkQueue queue, const VkPresentInfoKHR& info, const PresentExtras& extras,
                          uint32_t i, core::Turn turn, Clock::time_point called) {
    return {.image = core::ImageIndex{info.pImageIndices[i]},
            .turn = turn,
            .called = called,
            .id = extras.id(i),
            .damage = extras.damage(i),
            .mode = extras.mode(i),
            .fence = extras.fence(i),
            .queue = queue,
            .wish = extras.wish(i)};
}

/// The commands that copy the images of a call to where the window systems read them.
/// @return the error is the driver's
std::expected<std::vector<VkCommandBuffer>, VkResult>
copy_commands(VkQueue queue, const VkPresentInfoKHR& info, const SplitPresent& present) {
    std::vector<VkCommandBuffer> commands;
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (!present.ours[i])
            continue;
        const auto copies =
            present.ours[i]->copy_commands(core::ImageIndex{info.pImageIndices[i]}, queue);
        if (!copies)
            return std::unexpected(copies.error());
        if (*copies != VK_NULL_HANDLE)
            commands.push_back(*copies);
    }
    return commands;
}

/// Signals the present fences of the driver's swapchains, if the driver does not know
/// VK_EXT_swapchain_maintenance1: an application would wait for them for ever. They signal when the
/// work has ended that was submitted to the queue so far.
/// @param result  of the driver's vkQueuePresentKHR
/// @return the same, or VK_ERROR_DEVICE_LOST
VkResult signal_drivers_fences(const Device& device, VkQueue queue, const PresentExtras& extras,
                               std::span<const uint32_t> drivers, VkResult result) {
    // After lack of memory, the fences have to be as they were.
    if (device.driver_has_maintenance1 || core::is_of_whole_call(result))
        return result;
    for (const uint32_t i : drivers) {
        const VkFence fence = extras.fence(i);
        if (fence != VK_NULL_HANDLE &&
            device.vk.next.QueueSubmit(queue, 0, nullptr, fence) != VK_SUCCESS)
            return VK_ERROR_DEVICE_LOST;
    }
    return result;
}

/// Runs a part of a call whose semaphores have been waited for. "Out of memory" would tell the
/// application that they have not, and that it can repeat the call.
template <class Part>
VkResult after_waits(Part&& part) {
    const VkResult result = guarded(std::forward<Part>(part));
    return core::is_of_whole_call(result) ? VK_ERROR_DEVICE_LOST : result;
}

/// Signals the present fence of a swapchain after VK_ERROR_DEVICE_LOST of a call that did not reach
/// the driver, or that changed nothing there. Its device may be intact: then only this signals the
/// fence, and vkWaitForFences "must return in finite time even in the case of a lost device".
void signal_lost_fence(const Device& device, VkQueue queue, VkFence fence) {
    if (fence != VK_NULL_HANDLE)
        static_cast<void>(device.vk.next.QueueSubmit(queue, 0, nullptr, fence));
}

/// Ends the waits for presents (vkWaitForPresentKHR) to those of the layer's swapchains to which no
/// more will be made.
void end_waits(const SplitPresent& present) {
    for (size_t i = 0; i < present.ours.size(); ++i) {
        if (present.ours[i] && core::ends_presents(present.results[i]))
            present.ours[i]->end_presents(present.results[i]);
    }
}

/// Presents to the driver's swapchains of a call that also presents to the layer's. Waits on the
/// CPU for the rendering: a semaphore can be waited for only once, and the layer has done that.
void present_to_driver(const Device& device, VkQueue queue, SplitPresent& present,
                       const PresentExtras& extras, const PartOfExtras& part,
                       const Fd& rendering_fence) {
    std::vector<VkResult>& results = present.driver_results;
    const VkPresentInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .pNext = part.chain(),
        .swapchainCount = static_cast<uint32_t>(present.drivers.size()),
        .pSwapchains = present.driver_swapchains.data(),
        .pImageIndices = present.driver_images.data(),
        .pResults = results.data(),
    };
    const VkResult result = after_waits([&] {
        VkResult presented = sync::wait_on_cpu(rendering_fence);
        const bool waited = presented == VK_SUCCESS;
        if (waited)
            presented = device.vk.next.QueuePresentKHR(queue, &info);
        if (waited && !core::is_of_whole_call(presented))
            return signal_drivers_fences(device, queue, extras, present.drivers, presented);
        for (const uint32_t i : present.drivers)
            signal_lost_fence(device, queue, extras.fence(i));
        return presented;
    });
    if (core::is_of_whole_call(result))
        std::ranges::fill(results, result);
    for (size_t i = 0; i < results.size(); ++i)
        present.results[present.drivers[i]] = results[i];
}

/// @return the result of the call, the worst of all
VkResult report(const VkPresentInfoKHR& info, const SplitPresent& present) {
    VkResult worst = VK_SUCCESS;
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        worst = core::worse(worst, present.results[i]);
        if (info.pResults != nullptr)
            info.pResults[i] = present.results[i];
    }
    return worst;
}

/// Nothing of the call can be presented.
VkResult fail_all(const Device& device, VkQueue queue, const VkPresentInfoKHR& info,
                  SplitPresent& present, const PresentExtras& extras, VkResult why) {
    std::ranges::fill(present.results, why);
    end_waits(present);
    if (why == VK_ERROR_DEVICE_LOST)
        for (uint32_t i = 0; i < info.swapchainCount; ++i)
            signal_lost_fence(device, queue, extras.fence(i));
    return report(info, present);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    return guarded([&] {
        const Clock::time_point called = Clock::now();
        const auto device = find_device(queue);
        SplitPresent present = split(*device, *info);
        const PresentExtras extras(*info, device->has_maintenance1);
        if (present.drivers.size() == info->swapchainCount)
            return signal_drivers_fences(*device, queue, extras, present.drivers,
                                         device->vk.next.QueuePresentKHR(queue, info));

        // What may run out of memory comes before the semaphores are waited for.
        const auto order = presenting_order(present, extras, called);
        std::optional<PartOfExtras> drivers_part;
        if (!present.drivers.empty())
            drivers_part.emplace(extras, present.drivers);
        const auto commands = copy_commands(queue, *info, present);
        if (!commands)
            return fail_all(*device, queue, *info, present, extras, commands.error());
        const auto rendering_fence = device->wait_semaphores.export_waits(
            queue, std::span(info->pWaitSemaphores, info->waitSemaphoreCount), *commands);
        if (!rendering_fence)
            return fail_all(*device, queue, *info, present, extras, rendering_fence.error());
        const bool one_is_visible = std::ranges::any_of(order, [](const OrderedSwapchain& each) {
            return each.wait.reason != core::CommitWait::hidden;
        });
        for (const auto& [i, wait] : order)
            present.results[i] = after_waits([&] {
                return present.ours[i]->present(
                    request_of(queue, *info, extras, i,
                               core::choose_turn(wait.reason, one_is_visible), called),
                    *rendering_fence);
            });
        end_waits(present);
        if (drivers_part)
            present_to_driver(*device, queue, present, extras, *drivers_part, *rendering_fence);
        return report(*info, present);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSemaphore(VkDevice handle,
                                               const VkSemaphoreCreateInfo* create_info,
                                               const VkAllocationCallbacks* allocator,
                                               VkSemaphore* semaphore) {
    return guarded([&] {
        return find_device(handle)->wait_semaphores.create_semaphore(*create_info, allocator,
                                                                     semaphore);
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySemaphore(VkDevice handle, VkSemaphore semaphore,
                                            const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        device->wait_semaphores.forget(semaphore);
        device->vk.next.DestroySemaphore(handle, semaphore, allocator);
    });
}

} // namespace fencebridge::entry
