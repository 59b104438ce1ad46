// SPDX-License-Identifier: MIT
#include "info/handle_types.hpp"

namespace fencebridge::info {

namespace {

/// @param features                what the driver answered
/// @param exportable, importable  the bits of that answer, which differ between kinds of objects
HandleFacts handle(const char* object, const char* type, VkFlags features, VkFlags exportable,
                   VkFlags importable) {
    return {.object = object,
            .type = type,
            .exports = (features & exportable) != 0,
            .imports = (features & importable) != 0};
}

HandleFacts memory_handle(const vk::PhysicalDevice& device, const char* type,
                          VkExternalMemoryHandleTypeFlagBits bit) {
    const VkPhysicalDeviceExternalBufferInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = bit,
    };
    VkExternalBufferProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    device.next->GetPhysicalDeviceExternalBufferProperties(device.handle, &info, &properties);
    return handle("memory", type, properties.externalMemoryProperties.externalMemoryFeatures,
                  VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT,
                  VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT);
}

HandleFacts semaphore_handle(const vk::PhysicalDevice& device, const char* type,
                             VkExternalSemaphoreHandleTypeFlagBits bit) {
    const VkPhysicalDeviceExternalSemaphoreInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = bit,
    };
    VkExternalSemaphoreProperties properties = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
    device.next->GetPhysicalDeviceExternalSemaphoreProperties(device.handle, &info, &properties);
    return handle("semaphore", type, properties.externalSemaphoreFeatures,
                  VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT,
                  VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT);
}

HandleFacts fence_handle(const vk::PhysicalDevice& device, const char* type,
                         VkExternalFenceHandleTypeFlagBits bit) {
    const VkPhysicalDeviceExternalFenceInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .handleType = bit,
    };
    VkExternalFenceProperties properties = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
    device.next->GetPhysicalDeviceExternalFenceProperties(device.handle, &info, &properties);
    return handle("fence", type, properties.externalFenceFeatures,
                  VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT,
                  VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT);
}

} // namespace

std::vector<HandleFacts> find_handles(const vk::PhysicalDevice& device) {
    const auto has = [&](const char* extension) { return device.has_extension(extension); };
    std::vector<HandleFacts> all;
    // A query about a type is valid only with its extension.
    const auto add = [&](const char* object, const char* type, bool valid, auto query, auto bit) {
        all.push_back(valid ? query(device, type, bit)
                            : HandleFacts{.object = object, .type = type});
    };
    add("memory", "dma-buf", device.memory.dma_buf, memory_handle,
        VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
    add("memory", "opaque-fd", has(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME), memory_handle,
        VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT);
    add("memory", "host-pointer", device.memory.host_pointer, memory_handle,
        VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT);
    const bool semaphores = has(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME);
    add("semaphore", "sync-fd", semaphores, semaphore_handle,
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);
    add("semaphore", "opaque-fd", semaphores, semaphore_handle,
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT);
    const bool fences = has(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME);
    add("fence", "sync-fd", fences, fence_handle, VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT);
    add("fence", "opaque-fd", fences, fence_handle, VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT);
    return all;
}

} // namespace fencebridge::info
