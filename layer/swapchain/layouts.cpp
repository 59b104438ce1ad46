// SPDX-License-Identifier: MIT
#include "swapchain/layouts.hpp"

#include <algorithm>

#include "vk/format.hpp"

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

std::vector<uint64_t> modifiers_of(std::span<const vk::DriverModifier> all) {
    std::vector<uint64_t> modifiers(all.size());
    std::ranges::transform(all, modifiers.begin(), &vk::DriverModifier::modifier);
    return modifiers;
}

/// Those of the driver's modifiers that are in the list.
std::vector<vk::DriverModifier> select_modifiers(std::span<const vk::DriverModifier> driver,
                                                 std::span<const uint64_t> list) {
    std::vector<vk::DriverModifier> selected;
    std::ranges::copy_if(driver, std::back_inserter(selected), [&](const auto& modifier) {
        return std::ranges::find(list, modifier.modifier) != list.end();
    });
    return selected;
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

Layouts find_layouts(const vk::PhysicalDevice& physical, const vk::ImageParameters& parameters,
                     const core::DmabufFeedback& feedback, uint32_t fourcc) {
    vk::ImageParameters aliased = parameters;
    aliased.flags |= VK_IMAGE_CREATE_ALIAS_BIT;
    const auto shared = [&](std::span<const vk::DriverModifier> driver) {
        return core::choose_modifiers(feedback, fourcc, modifiers_of(driver), physical.drm_nodes);
    };
    const auto driver = vk::find_modifiers(physical, parameters);
    const auto driver_aliased = vk::find_modifiers(physical, aliased);
    const auto lists = shared(driver);
    // Each list, the later ones included: the window system may refuse images of the earlier.
    const bool aliases = shared(driver_aliased) == lists;
    Layouts layouts = {.flags = aliases ? aliased.flags : parameters.flags,
                       .driver = modifiers_of(driver),
                       .candidates = {}};
    for (const std::vector<uint64_t>& list : lists)
        layouts.candidates.push_back(select_modifiers(aliases ? driver_aliased : driver, list));
    return layouts;
}

bool depends_on_layout(VkResult result) {
    return result != VK_ERROR_SURFACE_LOST_KHR && result != VK_ERROR_DEVICE_LOST &&
           result != VK_ERROR_OUT_OF_HOST_MEMORY && result != VK_ERROR_OUT_OF_DEVICE_MEMORY &&
           result != VK_ERROR_TOO_MANY_OBJECTS;
}

SurfaceFormats find_surface_formats(const vk::PhysicalDevice& physical,
                                    const core::DmabufFeedback& feedback) {
    // Alpha modes are told for the surface, not for a format: where any format can be shown both
    // ways, those that can are offered; else those that can be shown opaque.
    SurfaceFormats both = {.formats = {}, .usage = 0, .blends = true};
    SurfaceFormats opaque_only;
    for (const vk::Format& format : vk::formats()) {
        const auto driver = vk::find_modifiers(physical, smallest_image(format.format));
        const auto modifiers = modifiers_of(driver);
        const auto opaque =
            core::choose_modifiers(feedback, format.fourcc_opaque, modifiers, physical.drm_nodes);
        const auto blended =
            core::choose_modifiers(feedback, format.fourcc_alpha, modifiers, physical.drm_nodes);
        if (opaque.empty())
            continue;
        SurfaceFormats& found = blended.empty() ? opaque_only : both;
        found.formats.push_back(format.format);
        // Only of layouts that can be shared: a usage that needs another could not be had.
        for (const vk::DriverModifier& modifier : driver) {
            if (std::ranges::any_of(opaque, [&](const std::vector<uint64_t>& list) {
                    return std::ranges::find(list, modifier.modifier) != list.end();
                }))
                found.usage |= usage_of(modifier.features);
        }
    }
    return both.formats.empty() ? opaque_only : both;
}

std::expected<bool, VkResult> can_show_an_image(const vk::Device& device,
                                                const vk::PhysicalDevice& physical, Window& window,
                                                VkFormat format) {
    const auto feedback = window.feedback();
    if (!feedback)
        return std::unexpected(feedback.error());
    const uint32_t fourcc = vk::find_format(format)->fourcc_opaque;
    vk::ImageParameters parameters = smallest_image(format);
    parameters.extent = {640, 480}; // as good as any
    const Layouts layouts = find_layouts(physical, parameters, **feedback, fourcc);
    parameters.flags = layouts.flags;
    for (const std::vector<vk::DriverModifier>& candidate : layouts.candidates) {
        const auto image = image::allocate_by_driver_export(device, parameters, candidate);
        if (!image && !depends_on_layout(image.error()))
            return std::unexpected(image.error());
        if (!image)
            continue;
        const auto accepted = window.accepts(*image, parameters.extent, fourcc);
        if (!accepted || *accepted)
            return accepted;
    }
    return false;
}

} // namespace fencebridge
