// SPDX-License-Identifier: MIT
#include "vk/device.hpp"

#include "vk/chain.hpp"
#include "vk/image_layout.hpp"

namespace fencebridge::vk {

Device describe_device(const PhysicalDevice& physical, VkDevice handle,
                       PFN_vkGetDeviceProcAddr next_proc) {
    Device device = {
        .handle = handle,
        .physical = physical.handle,
        .next = DeviceDispatch(handle, next_proc, physical.api_version),
        .memory = {},
        .sync_fd = physical.sync_fd,
        .semaphores_export_freely = physical.semaphores_export_freely,
        .facts = physical.facts,
        .exports_copies =
            physical.can_be_taken_over() && can_share_copies(physical, exported_dma_buf),
        .imports_copies =
            physical.can_be_taken_over() && can_share_copies(physical, imported_dma_buf),
        .foreign_queues = physical.memory.foreign_queues,
        .host_pointer_alignment = physical.host_pointer_alignment,
        .drm_nodes = physical.drm_nodes,
        .name = physical.name,
    };
    physical.next->GetPhysicalDeviceMemoryProperties(physical.handle, &device.memory);
    return device;
}

std::expected<Semaphore, VkResult> create_semaphore(const Device& device,
                                                    VkExternalSemaphoreHandleTypeFlags exports) {
    VkExportSemaphoreCreateInfo exportable = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO, .handleTypes = exports};
    VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    if (exports != 0)
        push_next(info, exportable);
    VkSemaphore semaphore = VK_NULL_HANDLE;
    const VkResult result = device.next.CreateSemaphore(device.handle, &info, nullptr, &semaphore);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Semaphore(device, semaphore);
}

std::expected<Fence, VkResult> create_fence(const Device& device,
                                            VkExternalFenceHandleTypeFlags exports) {
    VkExportFenceCreateInfo exportable = {.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                          .handleTypes = exports};
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    if (exports != 0)
        push_next(info, exportable);
    VkFence fence = VK_NULL_HANDLE;
    const VkResult result = device.next.CreateFence(device.handle, &info, nullptr, &fence);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fence(device, fence);
}

} // namespace fencebridge::vk
