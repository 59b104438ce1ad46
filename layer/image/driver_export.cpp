// SPDX-License-Identifier: MIT
#include "image/driver_export.hpp"

#include <algorithm>

#include "image/dma_buf_image.hpp"
#include "util/log.hpp"

namespace fencebridge::image {

namespace {

std::expected<vk::Image, VkResult> create_image(const vk::Device& device,
                                                const vk::ImageParameters& parameters,
                                                std::span<const vk::DriverModifier> layouts) {
    std::vector<uint64_t> allowed(layouts.size());
    std::ranges::transform(layouts, allowed.begin(), &vk::DriverModifier::modifier);
    VkImageDrmFormatModifierListCreateInfoEXT list = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .drmFormatModifierCount = static_cast<uint32_t>(allowed.size()),
        .pDrmFormatModifiers = allowed.data(),
    };
    DmaBufImageInfo info(parameters);
    VkImage image = VK_NULL_HANDLE;
    const VkResult result =
        device.next.CreateImage(device.handle, info.with(list), nullptr, &image);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Image(device, image);
}

std::expected<vk::Memory, VkResult> allocate_exportable(const vk::Device& device, VkImage image,
                                                        const MemoryRequirements& requirements) {
    VkExportMemoryAllocateInfo exportable = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    VkMemoryDedicatedAllocateInfo for_image = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = image};
    if (requirements.dedicated)
        vk::push_next(exportable, for_image);
    return allocate_memory(device, requirements, &exportable);
}

std::expected<Layout, VkResult> query_layout(const vk::Device& device, VkImage image,
                                             std::span<const vk::DriverModifier> modifiers) {
    VkImageDrmFormatModifierPropertiesEXT chosen = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT};
    const VkResult result =
        device.next.GetImageDrmFormatModifierPropertiesEXT(device.handle, image, &chosen);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    const auto known =
        std::ranges::find(modifiers, chosen.drmFormatModifier, &vk::DriverModifier::modifier);
    if (known == modifiers.end() || known->planes < 1 || known->planes > 4) {
        log::error("device \"%s\": the driver chose the unusable modifier 0x%llx for an image; "
                   "trying the next candidate, if there is one",
                   device.name.c_str(), static_cast<unsigned long long>(chosen.drmFormatModifier));
        return std::unexpected(VK_ERROR_INITIALIZATION_FAILED);
    }

    Layout layout = {.modifier = known->modifier, .plane_count = known->planes, .planes = {}};
    for (uint32_t i = 0; i < layout.plane_count; ++i) {
        const VkImageSubresource plane = {
            // The aspects of the four memory planes are consecutive bits.
            .aspectMask = static_cast<VkImageAspectFlags>(VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT)
                          << i,
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

std::expected<SwapchainImage, VkResult>
DriverExport::allocate(const vk::Device& device, const vk::ImageParameters& parameters,
                       std::span<const vk::DriverModifier> layouts) const {
    auto image = create_image(device, parameters, layouts);
    if (!image)
        return std::unexpected(image.error());
    auto layout = query_layout(device, image->get(), layouts);
    if (!layout)
        return std::unexpected(layout.error());
    MemoryRequirements requirements = query_requirements(device, image->get());
    requirements.dedicated |= std::ranges::any_of(layouts, &vk::DriverModifier::dedicated_only);
    auto memory = allocate_exportable(device, image->get(), requirements);
    if (!memory)
        return std::unexpected(memory.error());
    const VkResult bound =
        device.next.BindImageMemory(device.handle, image->get(), memory->get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    auto dma_buf = export_dma_buf(device, memory->get());
    if (!dma_buf)
        return std::unexpected(dma_buf.error());
    return SwapchainImage{std::move(*dma_buf), std::move(*memory), std::move(*image), *layout,
                          requirements.dedicated};
}

} // namespace fencebridge::image
