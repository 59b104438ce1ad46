// SPDX-License-Identifier: MIT
#include "image/shared_image.hpp"

#include <algorithm>
#include <drm_fourcc.h>
#include <utility>
#include <vector>

#include "util/log.hpp"

namespace fencebridge::image {

namespace {

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
    ImageInfo info(parameters, handle);
    VkImage image = VK_NULL_HANDLE;
    const bool linear = layouts.front().tiling == VK_IMAGE_TILING_LINEAR;
    const VkResult result = device.next.CreateImage(
        device.handle, linear ? info.tiled(VK_IMAGE_TILING_LINEAR) : info.with(list), nullptr,
        &image);
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

ImageInfo::ImageInfo(const vk::ImageParameters& parameters,
                     std::optional<VkExternalMemoryHandleTypeFlagBits> handle) :
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
        .handleTypes = handle ? VkExternalMemoryHandleTypeFlags{*handle} : 0,
    },
    views_{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = static_cast<uint32_t>(parameters.view_formats.size()),
        .pViewFormats = parameters.view_formats.data(),
    } {
    if (handle)
        vk::push_next(info_, external_);
    if (!parameters.view_formats.empty())
        vk::push_next(info_, views_);
}

ExplicitModifier::ExplicitModifier(const Layout& layout) :
    info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
        .drmFormatModifier = layout.modifier,
        .drmFormatModifierPlaneCount = layout.plane_count,
        .pPlaneLayouts = planes_.data(),
    } {
    for (uint32_t i = 0; i < layout.plane_count; ++i)
        planes_[i] = {.offset = layout.planes[i].offset, .rowPitch = layout.planes[i].pitch};
}

std::expected<UnboundImage, VkResult> create_unbound(const vk::Device& device,
                                                     const vk::ImageParameters& parameters,
                                                     const Layout& layout,
                                                     std::span<const vk::ImageLayout> layouts) {
    ExplicitModifier chosen(layout);
    ImageInfo info(parameters, vk::imported_dma_buf.handle);
    VkImage handle = VK_NULL_HANDLE;
    const VkResult result =
        device.next.CreateImage(device.handle, info.with(chosen.info), nullptr, &handle);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    vk::Image image(device, handle);
    MemoryRequirements requirements = image_requirements(device, handle);
    requirements.dedicated |= std::ranges::any_of(layouts, &vk::ImageLayout::dedicated_only);
    return UnboundImage{std::move(image), layout, requirements};
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
    MemoryRequirements requirements = image_requirements(device, image->get());
    requirements.dedicated |= std::ranges::any_of(layouts, &vk::ImageLayout::dedicated_only);
    return UnboundImage{std::move(*image), *layout, requirements};
}

std::expected<SwapchainImage, VkResult> bind_shared(const vk::Device& device,
                                                    core::Placement placement, UnboundImage unbound,
                                                    vk::Memory memory) {
    const VkResult bound =
        device.next.BindImageMemory(device.handle, unbound.image.get(), memory.get(), 0);
    if (bound != VK_SUCCESS)
        return std::unexpected(bound);
    return SwapchainImage{.placement = placement,
                          .dma_buf = {},
                          .implicit_fences = vk::ImplicitFences::ignored,
                          .host = {},
                          .memory = std::move(memory),
                          .image = std::move(unbound.image),
                          .layout = unbound.layout,
                          .dedicated = unbound.requirements.dedicated};
}

} // namespace fencebridge::image
