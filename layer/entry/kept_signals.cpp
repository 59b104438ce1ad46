// SPDX-License-Identifier: MIT
#include <span>

#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"

// Commands that wait for semaphores and fences of vkAcquireNextImageKHR whose signals the layer
// keeps (sync::KeptSignals). vkGetDeviceProcAddr returns them only on devices where it does.

namespace fencebridge::entry {

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    return guarded([&] {
        const auto device = find_device(queue);
        for (const VkSubmitInfo& info : std::span(infos, count)) {
            const VkResult result = device->signaller.submit_kept(
                queue, std::span(info.pWaitSemaphores, info.waitSemaphoreCount));
            if (result != VK_SUCCESS)
                return result;
        }
        return device->vk.next.QueueSubmit(queue, count, infos, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t count,
                                            const VkSubmitInfo2* infos, VkFence fence) {
    return guarded([&] {
        const auto device = find_device(queue);
        for (const VkSubmitInfo2& info : std::span(infos, count)) {
            for (const VkSemaphoreSubmitInfo& wait :
                 std::span(info.pWaitSemaphoreInfos, info.waitSemaphoreInfoCount)) {
                const VkResult result =
                    device->signaller.submit_kept(queue, std::span(&wait.semaphore, 1));
                if (result != VK_SUCCESS)
                    return result;
            }
        }
        return device->vk.next.QueueSubmit2(queue, count, infos, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t count,
                                               const VkBindSparseInfo* infos, VkFence fence) {
    return guarded([&] {
        const auto device = find_device(queue);
        for (const VkBindSparseInfo& info : std::span(infos, count)) {
            const VkResult result = device->signaller.submit_kept(
                queue, std::span(info.pWaitSemaphores, info.waitSemaphoreCount));
            if (result != VK_SUCCESS)
                return result;
        }
        return device->vk.next.QueueBindSparse(queue, count, infos, fence);
    });
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
            device->signaller.kept().forget(std::span(fences, count));
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice handle, VkFence fence,
                                        const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        device->signaller.kept().forget(std::span(&fence, 1));
        device->vk.next.DestroyFence(handle, fence, allocator);
    });
}

} // namespace fencebridge::entry
