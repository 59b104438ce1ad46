// SPDX-License-Identifier: MIT
#include "image/dma_buf_image.hpp"

#include <optional>

namespace fencebridge::image {

namespace {

/// The first allowed device-local type, else the first allowed type.
std::optional<uint32_t> choose_memory_type(const vk::Device& device, uint32_t allowed) {
    std::optional<uint32_t> any;
    for (uint32_t i = 0; i < device.memory.memoryTypeCount; ++i) {
        if (!(allowed & (1u << i)))
            continue;
        if (device.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
            return i;
        if (!any)
            any = i;
    }
    return any;
}

} // namespace

DmaBufImageInfo::DmaBufImageInfo(const vk::ImageParameters& parameters) :
    info_{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .flags = parameters.flags,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = parameters.format,
        .extent = {parameters.extent.width, parameters.extent.height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .usage = parameters.usage,
        .sharingMode = parameters.sharing,
        .queueFamilyIndexCount = static_cast<uint32_t>(parameters.queue_families.size()),
        .pQueueFamilyIndices = parameters.queue_families.data(),
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
    },
    external_{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    },
    views_{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = static_cast<uint32_t>(parameters.view_formats.size()),
        .pViewFormats = parameters.view_formats.data(),
    } {
    vk::push_next(info_, external_);
    if (!parameters.view_formats.empty())
        vk::push_next(info_, views_);
}

MemoryRequirements query_requirements(const vk::Device& device, VkImage image) {
    VkMemoryDedicatedRequirements dedicated = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 requirements = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
                                          .pNext = &dedicated};
    const VkImageMemoryRequirementsInfo2 of = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = image};
    device.next.GetImageMemoryRequirements2(device.handle, &of, &requirements);
    return {.size = requirements.memoryRequirements.size,
            .memory_types = requirements.memoryRequirements.memoryTypeBits,
            .dedicated =
                dedicated.prefersDedicatedAllocation || dedicated.requiresDedicatedAllocation};
}

std::expected<vk::Memory, VkResult> allocate_memory(const vk::Device& device,
                                                    const MemoryRequirements& requirements,
                                                    const void* next) {
    const auto type = choose_memory_type(device, requirements.memory_types);
    if (!type)
        return std::unexpected(VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = next,
        .allocationSize = requirements.size,
        .memoryTypeIndex = *type,
    };
    VkDeviceMemory memory = VK_NULL_HANDLE;
    const VkResult result = device.next.AllocateMemory(device.handle, &info, nullptr, &memory);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Memory(device, memory);
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

} // namespace fencebridge::image
