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
#include "sync/present_fences.hpp"
#include "sync/rendering.hpp"
#include "util/deadline.hpp"
#include "util/trace.hpp"

// vkQueuePresentKHR, and the semaphores that it waits for.

namespace fencebridge::entry {

namespace {

/// What a vkQueuePresentKHR asks of one of the layer's swapchains.
struct OurPresent {
    uint32_t index; ///< of the swapchain in the call
    std::shared_ptr<Swapchain> swapchain;
    core::ExpectedWait wait = {};
    VkResult result = VK_SUCCESS;
};

/// What it asks of the driver's swapchains.
struct DriversPresent {
    std::vector<uint32_t> indices; ///< of the swapchains in the call
    std::vector<VkSwapchainKHR> swapchains;
    std::vector<uint32_t> images;
    std::vector<VkResult> results;
};

struct SplitPresent {
    std::vector<OurPresent> ours;
    DriversPresent drivers;
};

SplitPresent split(Device& device, const VkPresentInfoKHR& info) {
    SplitPresent present;
    auto& [ours, drivers] = present;
    ours.reserve(info.swapchainCount);
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (auto swapchain = device.find_swapchain(info.pSwapchains[i])) {
            ours.push_back({.index = i, .swapchain = std::move(swapchain)});
            continue;
        }
        drivers.indices.push_back(i);
        drivers.swapchains.push_back(info.pSwapchains[i]);
        drivers.images.push_back(info.pImageIndices[i]);
        drivers.results.push_back(VK_SUCCESS);
    }
    return present;
}

/// Sorts the layer's swapchains of a call as they are presented to: first the ones that need not
/// wait for their turn, then those that wait for a refresh, then the ones of hidden windows, last
/// those whose images have to wait for a time. No window of the layer's delays another one that
/// waits less. (A window that is known to be hidden waits only if no other window of the call is
/// visible.) The waits do not add up: each ends at the latest core::Pace::callback_timeout after
/// its callback was requested, which was before this call unless the call presents to one window
/// twice; or at a time, which is the same however long the waits before it were.
void sort_by_wait(SplitPresent& present, const PresentExtras& extras, Clock::time_point called) {
    if (present.ours.size() + present.drivers.indices.size() == 1)
        return;
    for (OurPresent& each : present.ours)
        each.wait =
            each.swapchain->estimate_wait(extras.mode(each.index), extras.wish(each.index), called);
    std::ranges::stable_sort(present.ours, {}, &OurPresent::wait);
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

/// Swapchain::present_commands() of the images of a call.
/// @return the error is the driver's
std::expected<std::vector<VkCommandBuffer>, VkResult>
present_commands(VkQueue queue, const VkPresentInfoKHR& info, const SplitPresent& present) {
    std::vector<VkCommandBuffer> commands;
    for (const OurPresent& each : present.ours) {
        const auto found = each.swapchain->present_commands(
            core::ImageIndex{info.pImageIndices[each.index]}, queue);
        if (!found)
            return std::unexpected(found.error());
        if (*found != VK_NULL_HANDLE)
            commands.push_back(*found);
    }
    return commands;
}

std::expected<sync::Rendering, VkResult> export_waits(Device& device, VkQueue queue,
                                                      std::span<const VkSemaphore> waits,
                                                      std::span<const VkCommandBuffer> commands) {
    const trace::Span span(trace::event::export_fences);
    return device.wait_semaphores.export_waits(queue, waits, commands);
}

/// Signals the present fences of the driver's swapchains, if the driver does not know
/// VK_EXT_swapchain_maintenance1: an application would wait for them for ever. They signal when the
/// work has ended that was submitted to the queue so far.
/// @param result  of the driver's vkQueuePresentKHR
/// @return the same, or VK_ERROR_DEVICE_LOST
VkResult signal_drivers_fences(const Device& device, VkQueue queue, const PresentExtras& extras,
                               std::span<const uint32_t> drivers, VkResult result) {
    // After lack of memory, the fences have to be as they were.
    if (device.driver_has_maintenance1 || core::is_out_of_memory(result))
        return result;
    for (const uint32_t i : drivers) {
        const VkFence fence = extras.fence(i);
        if (fence != VK_NULL_HANDLE &&
            device.vk.next.QueueSubmit(queue, 0, nullptr, fence) != VK_SUCCESS)
            result = VK_ERROR_DEVICE_LOST;
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

/// Ends the waits for presents (vkWaitForPresentKHR) to those of the layer's swapchains to which no
/// more will be made.
void end_waits(const SplitPresent& present) {
    for (const OurPresent& each : present.ours) {
        if (core::ends_presents(each.result))
            each.swapchain->end_presents(each.result);
    }
}

/// Presents to the driver's swapchains of a call that also presents to the layer's. Waits on the
/// CPU for the rendering: a semaphore can be waited for only once, and the layer has done that.
void present_to_driver(const Device& device, VkQueue queue, DriversPresent& present,
                       const PresentExtras& extras, const PartOfExtras& part,
                       const sync::Rendering& rendering) {
    const VkPresentInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .pNext = part.chain(),
        .swapchainCount = static_cast<uint32_t>(present.swapchains.size()),
        .pSwapchains = present.swapchains.data(),
        .pImageIndices = present.images.data(),
        .pResults = present.results.data(),
    };
    const VkResult result = after_waits([&] {
        VkResult presented = rendering.wait();
        if (presented == VK_SUCCESS) {
            presented = device.vk.next.QueuePresentKHR(queue, &info);
            if (!core::is_out_of_memory(presented))
                return signal_drivers_fences(device, queue, extras, present.indices, presented);
        }
        for (const uint32_t i : present.indices)
            sync::signal_lost_fence(device.vk, queue, extras.fence(i));
        return presented;
    });
    if (core::is_of_whole_call(result))
        std::ranges::fill(present.results, result);
}

/// Writes the results of all swapchains.
/// @return the result of the call, the worst of all
VkResult report(const VkPresentInfoKHR& info, const SplitPresent& present) {
    VkResult worst = VK_SUCCESS;
    const auto add = [&](uint32_t index, VkResult result) {
        if (result != VK_SUCCESS)
            worst = core::worse(worst, result);
        if (info.pResults != nullptr)
            info.pResults[index] = result;
    };
    for (const OurPresent& each : present.ours)
        add(each.index, each.result);
    const DriversPresent& drivers = present.drivers;
    for (size_t i = 0; i < drivers.indices.size(); ++i)
        add(drivers.indices[i], drivers.results[i]);
    return worst;
}

/// Nothing of the call can be presented.
VkResult fail_all(const Device& device, VkQueue queue, const VkPresentInfoKHR& info,
                  SplitPresent& present, const PresentExtras& extras, VkResult why) {
    for (OurPresent& each : present.ours)
        each.result = why;
    std::ranges::fill(present.drivers.results, why);
    end_waits(present);
    if (why == VK_ERROR_DEVICE_LOST)
        for (uint32_t i = 0; i < info.swapchainCount; ++i)
            sync::signal_lost_fence(device.vk, queue, extras.fence(i));
    return report(info, present);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    return guarded([&] {
        const Clock::time_point called = Clock::now();
        const auto device = find_device(queue);
        SplitPresent present = split(*device, *info);
        const PresentExtras extras(*info, device->has_maintenance1);
        const std::span waits(info->pWaitSemaphores, info->waitSemaphoreCount);
        if (const VkResult kept = device->signaller.submit_signals(queue, waits);
            kept != VK_SUCCESS)
            return fail_all(*device, queue, *info, present, extras, kept);
        if (present.ours.empty())
            return signal_drivers_fences(*device, queue, extras, present.drivers.indices,
                                         device->vk.next.QueuePresentKHR(queue, info));

        // What may run out of memory comes before the semaphores are waited for.
        sort_by_wait(present, extras, called);
        std::optional<PartOfExtras> drivers_part;
        if (!present.drivers.indices.empty())
            drivers_part.emplace(extras, present.drivers.indices);
        const auto commands = present_commands(queue, *info, present);
        if (!commands)
            return fail_all(*device, queue, *info, present, extras, commands.error());
        const auto rendering = export_waits(*device, queue, waits, *commands);
        if (!rendering)
            return fail_all(*device, queue, *info, present, extras, rendering.error());
        const bool one_is_visible = std::ranges::any_of(present.ours, [](const OurPresent& each) {
            return each.wait.reason != core::CommitWait::hidden;
        });
        for (OurPresent& each : present.ours)
            each.result = after_waits([&] {
                return each.swapchain->present(
                    request_of(queue, *info, extras, each.index,
                               core::choose_turn(each.wait.reason, one_is_visible), called),
                    *rendering);
            });
        end_waits(present);
        if (drivers_part)
            present_to_driver(*device, queue, present.drivers, extras, *drivers_part, *rendering);
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
        if (device->signaller.keeps())
            device->signaller.kept().forget_semaphore(semaphore);
        device->vk.next.DestroySemaphore(handle, semaphore, allocator);
    });
}

} // namespace fencebridge::entry
