// SPDX-License-Identifier: MIT
#include "image/memory.hpp"

#include <optional>

#include "vk/chain.hpp"

namespace fencebridge::image {

namespace {

/// The first allowed type with the preferred properties, else the first allowed type.
std::optional<uint32_t> choose_memory_type(const vk::Device& device, uint32_t allowed,
                                           VkMemoryPropertyFlags preferred) {
    std::optional<uint32_t> any;
    for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
        if (!(allowed & (1u << i)))
            continue;
        if ((device.memory.memoryTypes[i].propertyFlags & preferred) == preferred)
            return i;
        if (!any)
            any = i;
    }
    return any;
}

/// @param info  its memory type is chosen here
std::expected<vk::Memory, VkResult> allocate(const vk::Device& device,
                                             const MemoryRequirements& requirements,
                                             VkMemoryAllocateInfo info,
                                             VkMemoryPropertyFlags preferred) {
    const auto type = choose_memory_type(device, requirements.memory_types, preferred);
    if (!type)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    VkMemoryDedicatedAllocateInfo owner = requirements.owner;
    if (requirements.dedicated)
        vk::push_next(info, owner);
    info.allocationSize = requirements.size;
    info.memoryTypeIndex = *type;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    const VkResult result = device.next.AllocateMemory(device.handle, &info, nullptr, &memory);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Memory(device, memory);
}

/// The memory types in which a CPU sees what the device has written, without further calls.
uint32_t readable_types(const vk::Device& device) {
    constexpr VkMemoryPropertyFlags needed =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    uint32_t types = 0;
    for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
        if ((device.memory.memoryTypes[i].propertyFlags & needed) == needed)
            types |= 1u << i;
    }
    return types;
}

/// @param query  calls the driver, with the structure to fill in
template <class Query>
MemoryRequirements query(const VkMemoryDedicatedAllocateInfo& owner, Query&& query) {
    VkMemoryDedicatedRequirements dedicated = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 requirements = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
                                          .pNext = &dedicated};
    query(&requirements);
    return {.size = requirements.memoryRequirements.size,
            .memory_types = requirements.memoryRequirements.memoryTypeBits,
            .dedicated =
                dedicated.prefersDedicatedAllocation || dedicated.requiresDedicatedAllocation,
            .must_be_dedicated = dedicated.requiresDedicatedAllocation != VK_FALSE,
            .owner = owner};
}

} // namespace

MemoryRequirements image_requirements(const vk::Device& device, VkImage image) {
    const VkImageMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = image};
    return query({.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image},
                 [&](VkMemoryRequirements2* requirements) {
                     device.next.GetImageMemoryRequirements2(device.handle, &of, requirements);
                 });
}

MemoryRequirements buffer_requirements(const vk::Device& device, VkBuffer buffer) {
    const VkBufferMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = buffer};
    return query({.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = buffer},
                 [&](VkMemoryRequirements2* requirements) {
                     device.next.GetBufferMemoryRequirements2(device.handle, &of, requirements);
                 });
}

std::expected<vk::Memory, VkResult> allocate_memory(const vk::Device& device,
                                                    const MemoryRequirements& requirements) {
    return allocate(device, requirements, {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO},
                    VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

std::expected<vk::Memory, VkResult> allocate_exportable(const vk::Device& device,
                                                        const MemoryRequirements& requirements,
                                                        VkMemoryPropertyFlags preferred) {
    VkExportMemoryAllocateInfo exportable = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    return allocate(device, requirements,
                    {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &exportable},
                    preferred);
}

std::expected<Fd, VkResult> export_dma_buf(const vk::Device& device, VkDeviceMemory memory) {
    const VkMemoryGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = memory,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    int fd = -1;
    const VkResult result = device.next.GetMemoryFdKHR(device.handle, &info, &fd);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd(fd);
}

std::expected<vk::Memory, VkResult>
import_dma_buf(const vk::Device& device, MemoryRequirements requirements, const Fd& dma_buf) {
    Fd drivers = dma_buf.duplicate();
    if (!drivers)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    VkMemoryFdPropertiesKHR importable = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    const VkResult result = device.next.GetMemoryFdPropertiesKHR(
        device.handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, drivers.get(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    requirements.memory_types &= importable.memoryTypeBits;
    if (requirements.memory_types == 0)
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    VkImportMemoryFdInfoKHR import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        .fd = drivers.get(),
    };
    auto memory = allocate(device, requirements,
                           {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import},
                           VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    // After a successful import the driver owns the descriptor.
    if (memory)
        static_cast<void>(drivers.release());
    return memory;
}

std::expected<HostMemory, VkResult> create_host_memory(const vk::Device& device,
                                                       VkDeviceSize size) {
    const auto unit = static_cast<size_t>(device.host_pointer_alignment);
    const auto required = addressable(size);
    if (!required)
        return std::unexpected(required.error());
    const size_t units = (*required + unit - 1) / unit * unit;
    return HostMemory::create(whole_pages(units), unit);
}

std::expected<vk::Memory, VkResult> import_host_memory(const vk::Device& device,
                                                       MemoryRequirements requirements,
                                                       const HostMemory& host) {
    constexpr auto handle = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    VkMemoryHostPointerPropertiesEXT importable = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
    const VkResult result = device.next.GetMemoryHostPointerPropertiesEXT(
        device.handle, handle, host.address(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    // Memory that is dedicated to an image or buffer has its size exactly. A driver that prefers
    // that has to do without.
    if (requirements.must_be_dedicated && host.size() != requirements.size)
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    requirements.dedicated = requirements.must_be_dedicated;
    requirements.size = host.size();
    requirements.memory_types &= importable.memoryTypeBits & readable_types(device);
    if (requirements.memory_types == 0)
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    VkImportMemoryHostPointerInfoEXT import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
        .handleType = handle,
        .pHostPointer = host.address(),
    };
    return allocate(device, requirements,
                    {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import},
                    VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
}

} // namespace fencebridge::image
