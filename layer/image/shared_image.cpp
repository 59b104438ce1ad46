// SPDX-License-Identifier: MIT
#include "image/shared_image.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <optional>
#include <vector>

#include "util/log.hpp"

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

std::expected<vk::Image, VkResult> create_image(const vk::Device& device,
                                                const vk::ImageParameters& parameters,
                                                std::span<const vk::ImageLayout> layouts,
                                                VkExternalMemoryHandleTypeFlagBits handle) {
    std::vector<uint64_t> allowed(layouts.size());
    std::ranges::transform(layouts, allowed.begin(), &vk::ImageLayout::modifier);
    VkImageDrmFormatModifierListCreateInfoEXT list = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .drmFormatModifierCount = static_cast<uint32_t>(allowed.size()),
        .pDrmFormatModifiers = allowed.data(),
    };
    SharedImageInfo info(parameters, handle);
    VkImage image = VK_NULL_HANDLE;
    const bool linear = layouts.front().tiling == VK_IMAGE_TILING_LINEAR;
    const VkResult result = device.next.CreateImage(
        device.handle, linear ? info.linear() : info.with(list), nullptr, &image);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Image(device, image);
}

/// The layout that the driver has chosen.
std::expected<vk::ImageLayout, VkResult> query_choice(const vk::Device& device, VkImage image,
                                                      std::span<const vk::ImageLayout> layouts) {
    if (layouts.front().tiling == VK_IMAGE_TILING_LINEAR) {
        const auto named =
            std::ranges::find(layouts, DRM_FORMAT_MOD_LINEAR, &vk::ImageLayout::modifier);
        return named == layouts.end() ? layouts.front() : *named;
    }
    VkImageDrmFormatModifierPropertiesEXT chosen = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT};
    const VkResult result =
        device.next.GetImageDrmFormatModifierPropertiesEXT(device.handle, image, &chosen);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    const auto known =
        std::ranges::find(layouts, chosen.drmFormatModifier, &vk::ImageLayout::modifier);
    if (known == layouts.end() || known->planes < 1 || known->planes > 4) {
        log::error("device \"%s\": the driver chose the unusable modifier 0x%llx for an image; "
                   "trying the next candidate, if there is one",
                   device.name.c_str(), static_cast<unsigned long long>(chosen.drmFormatModifier));
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }
    return *known;
}

std::expected<Layout, VkResult> query_layout(const vk::Device& device, VkImage image,
                                             std::span<const vk::ImageLayout> layouts) {
    const auto chosen = query_choice(device, image, layouts);
    if (!chosen)
        return std::unexpected(chosen.error());
    Layout layout = {.modifier = chosen->modifier,
                     .tiling = chosen->tiling,
                     .plane_count = chosen->planes,
                     .planes = {}};
    for (uint32_t i = 0; i < layout.plane_count; ++i) {
        // The aspects of the four memory planes are consecutive bits.
        constexpr VkImageAspectFlags first_plane = VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT;
        const bool linear = layout.tiling == VK_IMAGE_TILING_LINEAR;
        const VkImageSubresource plane = {
            .aspectMask = linear ? VkImageAspectFlags{VK_IMAGE_ASPECT_COLOR_BIT} : first_plane << i,
            .mipLevel = 0,
            .arrayLayer = 0,
        };
        VkSubresourceLayout where = {};
        device.next.GetImageSubresourceLayout(device.handle, image, &plane, &where);
        // linux-dmabuf has 32 bits for either.
        if (where.offset > UINT32_MAX || where.rowPitch > UINT32_MAX)
            return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
        layout.planes[i] = {.offset = static_cast<uint32_t>(where.offset),
                            .pitch = static_cast<uint32_t>(where.rowPitch)};
    }
    return layout;
}

} // namespace

SharedImageInfo::SharedImageInfo(const vk::ImageParameters& parameters,
                                 VkExternalMemoryHandleTypeFlagBits handle) :
    info_{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .flags = parameters.flags,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = parameters.format,
        .extent = {parameters.extent.width, parameters.extent.height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_LINEAR,
        .usage = parameters.usage,
        .sharingMode = parameters.sharing,
        .queueFamilyIndexCount = static_cast<uint32_t>(parameters.queue_families.size()),
        .pQueueFamilyIndices = parameters.queue_families.data(),
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
    },
    external_{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .handleTypes = static_cast<VkExternalMemoryHandleTypeFlags>(handle),
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

std::expected<UnboundImage, VkResult> create_unbound(const vk::Device& device,
                                                     const vk::ImageParameters& parameters,
                                                     std::span<const vk::ImageLayout> layouts,
                                                     VkExternalMemoryHandleTypeFlagBits handle) {
    auto image = create_image(device, parameters, layouts, handle);
    if (!image)
        return std::unexpected(image.error());
    const auto layout = query_layout(device, image->get(), layouts);
    if (!layout)
        return std::unexpected(layout.error());
    MemoryRequirements requirements = query_requirements(device, image->get());
    requirements.dedicated |= std::ranges::any_of(layouts, &vk::ImageLayout::dedicated_only);
    return UnboundImage{std::move(*image), *layout, requirements};
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

std::expected<vk::Memory, VkResult> import_dma_buf(const vk::Device& device, VkImage image,
                                                   MemoryRequirements requirements,
                                                   const Fd& dma_buf) {
    Fd drivers = dma_buf.duplicate();
    if (!drivers)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    VkMemoryFdPropertiesKHR importable = {.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
    const VkResult result = device.next.GetMemoryFdPropertiesKHR(
        device.handle, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, drivers.get(), &importable);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    requirements.memory_types &= importable.memoryTypeBits;
    VkImportMemoryFdInfoKHR import = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        .fd = drivers.get(),
    };
    VkMemoryDedicatedAllocateInfo for_image = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image};
    if (requirements.dedicated)
        vk::push_next(import, for_image);
    auto memory = allocate_memory(device, requirements, &import);
    // After a successful import the driver owns the descriptor.
    if (memory)
        static_cast<void>(drivers.release());
    return memory;
}

} // namespace fencebridge::image
