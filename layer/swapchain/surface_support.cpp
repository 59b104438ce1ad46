// SPDX-License-Identifier: MIT
#include "swapchain/surface_support.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "swapchain/candidates.hpp"

namespace fencebridge {

namespace {

VkImageUsageFlags usage_of(VkFormatFeatureFlags features) {
    VkImageUsageFlags usage = 0;
    if (features & VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT)
        usage |= VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT;
    if (features & VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_SAMPLED_BIT;
    if (features & VK_FORMAT_FEATURE_STORAGE_IMAGE_BIT)
        usage |= VK_IMAGE_USAGE_STORAGE_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_SRC_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    if (features & VK_FORMAT_FEATURE_TRANSFER_DST_BIT)
        usage |= VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    return usage;
}

/// The layouts that an allocator can make for a format.
struct MadeLayouts {
    core::Placement placement;
    std::vector<vk::DriverModifier> layouts;
};

std::vector<MadeLayouts> find_made(const vk::PhysicalDevice& physical, VkFormat format) {
    std::vector<MadeLayouts> made;
    for (const image::ImageAllocator* allocator : image::allocators())
        made.push_back(
            {allocator->placement(), allocator->layouts(physical, smallest_image(format))});
    return made;
}

/// The usages of images in the layouts that allocators and window system have in common: an image
/// of another layout could not be shown. No value if there is no such layout.
std::optional<VkImageUsageFlags> common_usage(const AcceptedLayouts& accepted,
                                              std::span<const MadeLayouts> made) {
    std::optional<VkImageUsageFlags> usage;
    for (const auto& [placement, layouts] : made) {
        for (const vk::DriverModifier& layout : layouts) {
            const std::span makes(&layout.modifier, 1);
            if (!core::common_layouts(accepted.ranks, placement, makes).empty())
                usage = usage.value_or(0) | usage_of(layout.features);
        }
    }
    return usage;
}

} // namespace

vk::ImageParameters smallest_image(VkFormat format) {
    return {.format = format,
            .extent = {1, 1},
            .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
            .flags = 0,
            .view_formats = {},
            .queue_families = {}};
}

bool can_make_images(const vk::PhysicalDevice& physical, VkFormat format) {
    return std::ranges::any_of(image::allocators(), [&](const image::ImageAllocator* allocator) {
        return !allocator->layouts(physical, smallest_image(format)).empty();
    });
}

std::expected<SurfaceSupport, VkResult> find_surface_support(const vk::PhysicalDevice& physical,
                                                             Window& window) {
    // VkSurfaceCapabilitiesKHR has one list of alpha modes for all formats. If any format can be
    // shown both opaque and blended, only such formats are offered. Else those that can be shown
    // opaque are.
    SurfaceSupport both = {.formats = {}, .usage = 0, .blends = true};
    SurfaceSupport opaque_only;
    for (const VkSurfaceFormatKHR& format : window.formats()) {
        const vk::Format* const known = vk::find_format(format.format);
        const auto opaque = window.layouts({known, true}, physical.drm_nodes);
        if (!opaque)
            return std::unexpected(opaque.error());
        const auto blended = window.layouts({known, false}, physical.drm_nodes);
        if (!blended)
            return std::unexpected(blended.error());
        const auto made = find_made(physical, format.format);
        const auto usage = common_usage(*opaque, made);
        if (!usage)
            continue;
        SurfaceSupport& support = common_usage(*blended, made) ? both : opaque_only;
        support.formats.push_back(format);
        support.usage |= *usage;
    }
    return both.formats.empty() ? opaque_only : both;
}

std::expected<bool, VkResult> can_import_images(const vk::Device& device,
                                                const vk::PhysicalDevice& physical, Window& window,
                                                VkFormat format) {
    const PixelFormat pixels = {vk::find_format(format), true};
    vk::ImageParameters parameters = smallest_image(format);
    parameters.extent = {640, 480}; // any size would do
    const auto candidates = find_candidates(physical, parameters, window, pixels);
    if (!candidates)
        return std::unexpected(candidates.error());
    for (const Candidate& candidate : candidates->all) {
        parameters.flags = candidate.flags;
        const auto image = candidate.allocator->allocate(device, parameters, candidate.layouts);
        if (!image && !depends_on_layout(image.error()))
            return std::unexpected(image.error());
        if (!image)
            continue;
        const auto accepted = window.accepts(*image, parameters.extent, pixels);
        if (!accepted || *accepted)
            return accepted;
    }
    return false;
}

} // namespace fencebridge
