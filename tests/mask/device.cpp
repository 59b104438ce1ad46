// SPDX-License-Identifier: MIT
// The commands of a device that use what is masked. A valid application does not call them so, and
// drivers differ in how they fail. Each such call is printed.
#include "chain.hpp"
#include "layer.hpp"

namespace fencebridge::mask {
namespace {

VkResult refuse(const char* function, VkResult result) {
    report(function);
    return result;
}

VkResult create_image(VkDevice handle, const VkImageCreateInfo* info,
                      const VkAllocationCallbacks* allocator, VkImage* image) {
    constexpr auto function = "vkCreateImage";
    const Device device = device_of(handle);
    const auto* const external = find_in<VkExternalMemoryImageCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
    if ((device.masks.modifiers && info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) ||
        (external != nullptr && (external->handleTypes & device.masks.handle_types()) != 0))
        return refuse(function, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    return next_of<PFN_vkCreateImage>(device, function)(handle, info, allocator, image);
}

VkResult create_buffer(VkDevice handle, const VkBufferCreateInfo* info,
                       const VkAllocationCallbacks* allocator, VkBuffer* buffer) {
    constexpr auto function = "vkCreateBuffer";
    const Device device = device_of(handle);
    const auto* const external = find_in<VkExternalMemoryBufferCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
    if (external != nullptr && (external->handleTypes & device.masks.handle_types()) != 0)
        return refuse(function, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    return next_of<PFN_vkCreateBuffer>(device, function)(handle, info, allocator, buffer);
}

VkResult allocate_memory(VkDevice handle, const VkMemoryAllocateInfo* info,
                         const VkAllocationCallbacks* allocator, VkDeviceMemory* memory) {
    constexpr auto function = "vkAllocateMemory";
    const Device device = device_of(handle);
    const auto* const exported = find_in<VkExportMemoryAllocateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    const auto* const import =
        find_in<VkImportMemoryFdInfoKHR>(info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    const auto* const host = find_in<VkImportMemoryHostPointerInfoEXT>(
        info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    if ((exported != nullptr && (exported->handleTypes & device.masks.not_exported()) != 0) ||
        (import != nullptr && (import->handleType & device.masks.not_imported()) != 0) ||
        (host != nullptr && (host->handleType & device.masks.not_imported()) != 0))
        return refuse(function, VK_ERROR_INVALID_EXTERNAL_HANDLE);
    return next_of<PFN_vkAllocateMemory>(device, function)(handle, info, allocator, memory);
}

VkResult get_memory_fd(VkDevice handle, const VkMemoryGetFdInfoKHR* info, int* fd) {
    constexpr auto function = "vkGetMemoryFdKHR";
    const Device device = device_of(handle);
    if ((info->handleType & device.masks.not_exported()) != 0)
        return refuse(function, VK_ERROR_OUT_OF_HOST_MEMORY);
    return next_of<PFN_vkGetMemoryFdKHR>(device, function)(handle, info, fd);
}

VkResult get_memory_fd_properties(VkDevice handle, VkExternalMemoryHandleTypeFlagBits type, int fd,
                                  VkMemoryFdPropertiesKHR* properties) {
    constexpr auto function = "vkGetMemoryFdPropertiesKHR";
    const Device device = device_of(handle);
    if ((type & device.masks.not_imported()) != 0)
        return refuse(function, VK_ERROR_INVALID_EXTERNAL_HANDLE);
    return next_of<PFN_vkGetMemoryFdPropertiesKHR>(device, function)(handle, type, fd, properties);
}

// Without SYNC_FD, NVIDIA's driver returns VK_ERROR_INITIALIZATION_FAILED (580.159.04, without a
// DRM device): for the creation of an object that is to export a SYNC_FD, and for an import.

VkResult create_semaphore(VkDevice handle, const VkSemaphoreCreateInfo* info,
                          const VkAllocationCallbacks* allocator, VkSemaphore* semaphore) {
    constexpr auto function = "vkCreateSemaphore";
    const Device device = device_of(handle);
    const auto* const exported = find_in<VkExportSemaphoreCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
    if (device.masks.sync_fd && exported != nullptr &&
        (exported->handleTypes & VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT) != 0)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkCreateSemaphore>(device, function)(handle, info, allocator, semaphore);
}

VkResult create_fence(VkDevice handle, const VkFenceCreateInfo* info,
                      const VkAllocationCallbacks* allocator, VkFence* fence) {
    constexpr auto function = "vkCreateFence";
    const Device device = device_of(handle);
    const auto* const exported =
        find_in<VkExportFenceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
    if (device.masks.sync_fd && exported != nullptr &&
        (exported->handleTypes & VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT) != 0)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkCreateFence>(device, function)(handle, info, allocator, fence);
}

VkResult import_semaphore(VkDevice handle, const VkImportSemaphoreFdInfoKHR* info) {
    constexpr auto function = "vkImportSemaphoreFdKHR";
    const Device device = device_of(handle);
    if (device.masks.sync_fd && info->handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkImportSemaphoreFdKHR>(device, function)(handle, info);
}

VkResult import_fence(VkDevice handle, const VkImportFenceFdInfoKHR* info) {
    constexpr auto function = "vkImportFenceFdKHR";
    const Device device = device_of(handle);
    if (device.masks.sync_fd && info->handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkImportFenceFdKHR>(device, function)(handle, info);
}

VkResult get_semaphore_fd(VkDevice handle, const VkSemaphoreGetFdInfoKHR* info, int* fd) {
    constexpr auto function = "vkGetSemaphoreFdKHR";
    const Device device = device_of(handle);
    if (device.masks.sync_fd && info->handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkGetSemaphoreFdKHR>(device, function)(handle, info, fd);
}

VkResult get_fence_fd(VkDevice handle, const VkFenceGetFdInfoKHR* info, int* fd) {
    constexpr auto function = "vkGetFenceFdKHR";
    const Device device = device_of(handle);
    if (device.masks.sync_fd && info->handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT)
        return refuse(function, VK_ERROR_INITIALIZATION_FAILED);
    return next_of<PFN_vkGetFenceFdKHR>(device, function)(handle, info, fd);
}

} // namespace

std::span<const Command> device_commands() {
    static const Command table[]{
        command<PFN_vkCreateImage, create_image>("vkCreateImage"),
        command<PFN_vkCreateBuffer, create_buffer>("vkCreateBuffer"),
        command<PFN_vkAllocateMemory, allocate_memory>("vkAllocateMemory"),
        command<PFN_vkGetMemoryFdKHR, get_memory_fd>("vkGetMemoryFdKHR"),
        command<PFN_vkGetMemoryFdPropertiesKHR, get_memory_fd_properties>(
            "vkGetMemoryFdPropertiesKHR"),
        command<PFN_vkCreateSemaphore, create_semaphore>("vkCreateSemaphore"),
        command<PFN_vkCreateFence, create_fence>("vkCreateFence"),
        command<PFN_vkImportSemaphoreFdKHR, import_semaphore>("vkImportSemaphoreFdKHR"),
        command<PFN_vkImportFenceFdKHR, import_fence>("vkImportFenceFdKHR"),
        command<PFN_vkGetSemaphoreFdKHR, get_semaphore_fd>("vkGetSemaphoreFdKHR"),
        command<PFN_vkGetFenceFdKHR, get_fence_fd>("vkGetFenceFdKHR"),
    };
    return table;
}

} // namespace fencebridge::mask
