// SPDX-License-Identifier: MIT
#include "entry/guard.hpp"
#include "entry/intercepts.hpp"
#include "entry/registry.hpp"

// The application's semaphores, some of which vkQueuePresentKHR will export.

namespace fencebridge::entry {

VKAPI_ATTR VkResult VKAPI_CALL CreateSemaphore(VkDevice handle,
                                               const VkSemaphoreCreateInfo* create_info,
                                               const VkAllocationCallbacks* allocator,
                                               VkSemaphore* semaphore) {
    return guarded([&] {
        return find_device(handle)->renderings.create_semaphore(*create_info, allocator, semaphore);
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySemaphore(VkDevice handle, VkSemaphore semaphore,
                                            const VkAllocationCallbacks* allocator) {
    guarded_void([&] {
        const auto device = find_device(handle);
        device->renderings.forget(semaphore);
        device->vk.next.DestroySemaphore(handle, semaphore, allocator);
    });
}

} // namespace fencebridge::entry
