// SPDX-License-Identifier: MIT
#include "core/colour.hpp"

#include <algorithm>
#include <cmath>

namespace fencebridge::core {

namespace {

/// A colour space of VK_EXT_swapchain_colorspace in the terms of color-management-v1.
struct Space {
    VkColorSpaceKHR space;
    Primaries primaries;
    /// The first that the compositor has is used.
    std::array<TransferFunction, 2> transfers;
};

constexpr auto linear = TransferFunction::ext_linear;
// For version 2 of color-management-v1, `srgb` is an ambiguous name, and gamma22 what most displays
// do with such images. A compositor may have one of them alone.
constexpr std::array srgb_like = {TransferFunction::srgb, TransferFunction::gamma22};

// Left out: EXTENDED_SRGB_NONLINEAR, whose transfer function the protocol deprecates without a
// replacement; DCI_P3_NONLINEAR, whose values are XYZ; DOLBYVISION, which Vulkan deprecates.
constexpr std::array spaces = {
    Space{VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT, Primaries::display_p3, srgb_like},
    Space{VK_COLOR_SPACE_DISPLAY_P3_LINEAR_EXT, Primaries::display_p3, {linear, linear}},
    Space{VK_COLOR_SPACE_BT709_LINEAR_EXT, Primaries::srgb, {linear, linear}},
    Space{VK_COLOR_SPACE_BT709_NONLINEAR_EXT,
          Primaries::srgb,
          {TransferFunction::bt1886, TransferFunction::bt1886}},
    Space{VK_COLOR_SPACE_BT2020_LINEAR_EXT, Primaries::bt2020, {linear, linear}},
    Space{VK_COLOR_SPACE_HDR10_ST2084_EXT,
          Primaries::bt2020,
          {TransferFunction::st2084_pq, TransferFunction::st2084_pq}},
    Space{VK_COLOR_SPACE_HDR10_HLG_EXT,
          Primaries::bt2020,
          {TransferFunction::hlg, TransferFunction::hlg}},
    Space{VK_COLOR_SPACE_ADOBERGB_LINEAR_EXT, Primaries::adobe_rgb, {linear, linear}},
    Space{VK_COLOR_SPACE_ADOBERGB_NONLINEAR_EXT,
          Primaries::adobe_rgb,
          {TransferFunction::gamma22, TransferFunction::gamma22}},
};

/// A value in the protocol's unit; nothing if it is unknown, or no number that has one.
template <class Integer>
std::optional<Integer> scale(float value, double unit, double max) {
    const double scaled = std::round(static_cast<double>(value) * unit);
    if (!(scaled >= 0 && scaled <= max)) // also if it is not a number
        return std::nullopt;
    return static_cast<Integer>(scaled);
}

std::optional<std::array<int32_t, 8>> convert_primaries(const VkHdrMetadataEXT& metadata) {
    std::array<int32_t, 8> converted = {};
    size_t next = 0;
    for (const VkXYColorEXT& point : {metadata.displayPrimaryRed, metadata.displayPrimaryGreen,
                                      metadata.displayPrimaryBlue, metadata.whitePoint}) {
        const auto x = scale<int32_t>(point.x, 1e6, 1e6);
        const auto y = scale<int32_t>(point.y, 1e6, 1e6);
        if (!x || !y || (*x == 0 && *y == 0))
            return std::nullopt;
        converted[next++] = *x;
        converted[next++] = *y;
    }
    return converted;
}

std::optional<HdrMetadata::Luminance> convert_luminance(const VkHdrMetadataEXT& metadata) {
    const auto min = scale<uint32_t>(metadata.minLuminance, 1e4, UINT32_MAX);
    const auto max = scale<uint32_t>(metadata.maxLuminance, 1, UINT32_MAX);
    if (!min || !max || uint64_t{*max} * 10'000 <= *min)
        return std::nullopt;
    return HdrMetadata::Luminance{*min, *max};
}

/// The luminances that color-management-v1 assumes if none are set.
HdrMetadata::Luminance default_luminance(TransferFunction transfer) {
    constexpr uint32_t min = 50; // 0.005 cd/m²
    return {min, transfer == TransferFunction::st2084_pq ? 10'000u : 1'000u};
}

/// Version 1 of color-management-v1: a light level must be within the mastering luminances.
std::optional<uint32_t> convert_light_level(float level, const HdrMetadata::Luminance& range) {
    const auto converted = scale<uint32_t>(level, 1, range.max);
    if (!converted || uint64_t{*converted} * 10'000 <= range.min)
        return std::nullopt;
    return converted;
}

} // namespace

std::optional<ColourEncoding> find_encoding(VkColorSpaceKHR space,
                                            const ColourCapabilities& compositor) {
    if (space == VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT && compositor.windows_scrgb)
        return ColourEncoding{.windows_scrgb = true};
    const auto* const known = std::ranges::find(spaces, space, &Space::space);
    if (known == spaces.end() || !compositor.parametric || !compositor.has(known->primaries))
        return std::nullopt;
    const auto* const transfer =
        std::ranges::find_if(known->transfers, [&](auto name) { return compositor.has(name); });
    if (transfer == known->transfers.end())
        return std::nullopt;
    return ColourEncoding{.primaries = known->primaries, .transfer = *transfer};
}

std::vector<VkColorSpaceKHR> described_spaces(const ColourCapabilities& compositor) {
    std::vector<VkColorSpaceKHR> found;
    const auto add = [&](VkColorSpaceKHR space) {
        if (find_encoding(space, compositor))
            found.push_back(space);
    };
    add(VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT);
    for (const Space& space : spaces)
        add(space.space);
    return found;
}

bool can_hold(VkColorSpaceKHR space, bool is_srgb, bool is_float) {
    switch (space) {
    case VK_COLOR_SPACE_SRGB_NONLINEAR_KHR:
    case VK_COLOR_SPACE_DISPLAY_P3_NONLINEAR_EXT:
    case VK_COLOR_SPACE_PASS_THROUGH_EXT:
        return true;
    case VK_COLOR_SPACE_EXTENDED_SRGB_LINEAR_EXT:
        return is_float;
    default:
        return !is_srgb;
    }
}

HdrMetadata convert_metadata(const VkHdrMetadataEXT& metadata, const ColourEncoding& encoding,
                             const ColourCapabilities& compositor) {
    HdrMetadata converted;
    if (compositor.mastering) {
        converted.mastering_primaries = convert_primaries(metadata);
        converted.mastering_luminance = convert_luminance(metadata);
    }
    const auto range = converted.mastering_luminance.value_or(default_luminance(encoding.transfer));
    converted.max_cll = convert_light_level(metadata.maxContentLightLevel, range);
    converted.max_fall = convert_light_level(metadata.maxFrameAverageLightLevel, range);
    if (converted.max_cll && converted.max_fall && *converted.max_fall > *converted.max_cll)
        converted.max_fall.reset();
    return converted;
}

} // namespace fencebridge::core
