// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <vector>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"

// Commands that wait for semaphores and fences of vkAcquireNextImageKHR whose signals the layer
// keeps (sync::KeptSignals). vkGetDeviceProcAddr returns them only on devices where it does.

namespace fencebridge::entry {

namespace {

/// The semaphores that a batch waits for.
std::span<const VkSemaphore> waits_of(const VkSubmitInfo& batch) {
    return {batch.pWaitSemaphores, batch.waitSemaphoreCount};
}
std::span<const VkSemaphore> waits_of(const VkBindSparseInfo& batch) {
    return {batch.pWaitSemaphores, batch.waitSemaphoreCount};
}
std::vector<VkSemaphore> waits_of(const VkSubmitInfo2& batch) {
    std::vector<VkSemaphore> waits(batch.waitSemaphoreInfoCount);
    std::ranges::transform(std::span(batch.pWaitSemaphoreInfos, waits.size()), waits.begin(),
                           &VkSemaphoreSubmitInfo::semaphore);
    return waits;
}

/// Submits the signals that the layer keeps for the batches, and then the batches.
/// @param command  the driver's
template <class Batch>
VkResult submit(VkQueue queue, std::span<const Batch> batches, VkFence fence,
                VkResult (VKAPI_PTR* vk::DeviceDispatch::*command)(VkQueue, uint32_t, const Batch*,
                                                                   VkFence)) {
    return guarded([&] {
        const auto device = find_device(queue);
        for (const Batch& batch : batches) {
            const VkResult result = device->signaller.submit_signals(queue, waits_of(batch));
            if (result != VK_SUCCESS)
                return result;
        }
        return (device->vk.next.*command)(queue, static_cast<uint32_t>(batches.size()),
                                          batches.data(), fence);
    });
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    return submit(queue, std::span(infos, count), fence, &vk::DeviceDispatch::QueueSubmit);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t count,
                                            const VkSubmitInfo2* infos, VkFence fence) {
    return submit(queue, std::span(infos, count), fence, &vk::DeviceDispatch::QueueSubmit2);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t count,
                                               const VkBindSparseInfo* infos, VkFence fence) {
    return submit(queue, std::span(infos, count), fence, &vk::DeviceDispatch::QueueBindSparse);
}

VKAPI_ATTR VkResult VKAPI_CALL WaitForFences(VkDevice handle, uint32_t count, const VkFence* fences,
                                             VkBool32 all, uint64_t timeout) {
    return guarded([&] {
        return find_device(handle)->signaller.kept().wait(std::span(fences, count), all != VK_FALSE,
                                                          timeout);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetFenceStatus(VkDevice handle, VkFence fence) {
    return guarded([&] {
        const auto device = find_device(handle);
        return device->signaller.kept().is_signalled(fence)
                   ? VK_SUCCESS
                   : device->vk.next.GetFenceStatus(handle, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL ResetFences(VkDevice handle, uint32_t count, const VkFence* fences) {
    return guarded([&] {
        const auto device = find_device(handle);
        const VkResult result = device->vk.next.ResetFences(handle, count, fences);
        if (result == VK_SUCCESS)
            device->signaller.kept().forget_fences(std::span(fences, count));
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice handle, VkFence fence,
                                        const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        device->signaller.kept().forget_fences(std::span(&fence, 1));
        device->vk.next.DestroyFence(handle, fence, allocator);
    });
}

} // namespace fencebridge::entry
