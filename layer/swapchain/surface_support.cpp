// SPDX-License-Identifier: MIT
#include "swapchain/surface_support.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "core/colour.hpp"

namespace fencebridge {

namespace {

/// The layouts that allocators and window system have in common: an image of another layout could
/// not be shown.
struct CommonLayouts {
    const image::ImageAllocator* first = nullptr; ///< null if there are none
    VkImageUsageFlags usage = 0;                  ///< of images in any of them
};
CommonLayouts find_common(const AcceptedLayouts& accepted, std::span<const MadeLayouts> made) {
    CommonLayouts common;
    for (const auto& [allocator, layouts] : made) {
        for (const vk::ImageLayout& layout : layouts) {
            const std::span makes(&layout.modifier, 1);
            if (core::common_layouts(accepted.ranks, allocator->placement(), makes).empty())
                continue;
            common.usage |= vk::usage_of(layout.features);
            if (common.first == nullptr)
                common.first = allocator;
        }
    }
    return common;
}

/// A format that driver and window system share.
struct Shown {
    const vk::Format* format;
    CommonLayouts common;
    bool blends; ///< also with its alpha channel, or there is none
};

/// @return in the order of vk::formats(); the error is VK_ERROR_SURFACE_LOST_KHR
std::expected<std::vector<Shown>, VkResult>
find_shown(FormatLayouts& made, const vk::PhysicalDevice& physical, Window& window) {
    const image::Reader reader = reader_of(physical, window, made.requested().transport);
    std::vector<Shown> all;
    for (const vk::Format& format : vk::formats()) {
        if (!vk::knows_format(physical, format))
            continue;
        const auto opaque = window.layouts({&format, true}, physical.drm_nodes);
        if (!opaque)
            return std::unexpected(opaque.error());
        if (opaque->ranks.empty())
            continue; // the driver is not asked in vain
        const auto blended = window.layouts({&format, false}, physical.drm_nodes);
        if (!blended)
            return std::unexpected(blended.error());
        const auto layouts = made.of(physical, reader, format.format);
        if (!layouts)
            return std::unexpected(layouts.error());
        const CommonLayouts common = find_common(*opaque, **layouts);
        if (common.first != nullptr)
            all.push_back({&format, common, find_common(*blended, **layouts).first != nullptr});
    }
    return all;
}

/// VkSurfaceCapabilitiesKHR has one list of alpha modes for all formats. If any alpha channel can
/// be used for blending, only such formats remain, and those without one.
void erase_unblended(std::vector<Shown>& shown) {
    if (std::ranges::any_of(shown,
                            [](const Shown& one) { return one.format->has_alpha() && one.blends; }))
        std::erase_if(shown, [](const Shown& one) { return !one.blends; });
}

/// vkGetPhysicalDeviceSurfaceFormatsKHR: with a UNORM format, the SRGB format must be listed as
/// well if the device can render to it, and the reverse. A format that breaks this rule is left
/// out, unless every format that has a twin breaks it: an application needs one of 8 bits.
void erase_without_twin(std::vector<Shown>& shown, const vk::PhysicalDevice& physical) {
    const auto all = shown;
    const auto lacks_twin = [&](const Shown& one) {
        const VkFormat twin = one.format->twin;
        return twin != VK_FORMAT_UNDEFINED &&
               std::ranges::none_of(
                   all, [&](const Shown& other) { return other.format->format == twin; }) &&
               vk::is_color_renderable(physical, twin);
    };
    const auto keeps_rule = [&](const Shown& one) {
        return one.format->twin != VK_FORMAT_UNDEFINED && !lacks_twin(one);
    };
    if (std::ranges::any_of(all, keeps_rule))
        std::erase_if(shown, lacks_twin);
}

std::vector<VkColorSpaceKHR> spaces_of(const Window& window, bool all_spaces) {
    std::vector spaces = {VK_COLOR_SPACE_SRGB_NONLINEAR_KHR};
    if (all_spaces) {
        std::ranges::copy(window.described_spaces(), std::back_inserter(spaces));
        spaces.push_back(VK_COLOR_SPACE_PASS_THROUGH_EXT);
    }
    return spaces;
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

std::expected<std::shared_ptr<const std::vector<MadeLayouts>>, VkResult>
FormatLayouts::of(const vk::PhysicalDevice& physical, const image::Reader& reader,
                  VkFormat format) {
    const Key key(physical.handle, reader, format);
    auto found = known_.with([&](const auto& known) {
        const auto entry = known.find(key);
        return entry == known.end() ? nullptr : entry->second;
    });
    if (found)
        return found;
    // If two threads query at the same time, the first result is kept.
    std::vector<MadeLayouts> made;
    for (const image::ImageAllocator* allocator :
         image::allocators(physical, reader, requested_.image)) {
        auto layouts = allocator->layouts(physical, smallest_image(format));
        if (!layouts)
            return std::unexpected(layouts.error());
        made.push_back({allocator, std::move(*layouts)});
    }
    auto shared = std::make_shared<const std::vector<MadeLayouts>>(std::move(made));
    return known_.with(
        [&](auto& known) { return known.try_emplace(key, std::move(shared)).first->second; });
}

std::expected<VkImageUsageFlags, VkResult>
makeable_usages(FormatLayouts& made, const vk::PhysicalDevice& physical, VkFormat format) {
    const auto all = made.of(physical, image::Reader(), format); // the usages are the same
    if (!all)
        return std::unexpected(all.error());
    VkImageUsageFlags usages = 0;
    for (const MadeLayouts& one : **all) {
        for (const vk::ImageLayout& layout : one.layouts)
            usages |= vk::usage_of(layout.features);
    }
    return usages;
}

std::expected<SurfaceSupport, VkResult> find_surface_support(FormatLayouts& made,
                                                             const vk::PhysicalDevice& physical,
                                                             Window& window, bool all_spaces) {
    auto shown = find_shown(made, physical, window);
    if (!shown)
        return std::unexpected(shown.error());
    erase_unblended(*shown);
    erase_without_twin(*shown, physical);
    SurfaceSupport support;
    support.shared_image = vk::knows_shared_present_layout(physical);
    support.blends = std::ranges::all_of(*shown, &Shown::blends);
    support.straight_alpha = support.blends && window.has_straight_alpha();
    for (const Shown& one : *shown)
        support.usage |= one.common.usage;
    support.needs_trial = !shown->empty() && shown->front().common.first->needs_trial(physical);
    for (const VkColorSpaceKHR space : spaces_of(window, all_spaces)) {
        for (const Shown& one : *shown) {
            if (core::can_hold(space, one.format->is_srgb(), one.format->is_float()))
                support.formats.push_back({one.format->format, space});
        }
    }
    return support;
}

std::expected<bool, VkResult> can_import_images(const Requested& requested,
                                                const vk::Device& device,
                                                const vk::PhysicalDevice& physical, Window& window,
                                                VkFormat format) {
    const PixelFormat pixels = {vk::find_format(format), true};
    vk::ImageParameters parameters = smallest_image(format);
    parameters.extent = {640, 480}; // any size would do
    const auto candidates = find_candidates(requested, physical, parameters, window, pixels);
    if (!candidates)
        return std::unexpected(candidates.error());
    return try_candidates(
        device, parameters, candidates->all,
        [&](const Candidate& candidate, const image::SwapchainImage& image) {
            const auto accepted = window.accepts(image, parameters.extent, pixels);
            if (accepted && !*accepted)
                candidates->report_refusal(window, candidate, image.layout.modifier);
            return accepted;
        });
}

} // namespace fencebridge
