// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// A swapchain format, and the DRM formats (drm_fourcc.h) with which a compositor reads it.
struct Format {
    VkFormat format;
    const char* name;
    uint32_t fourcc_alpha;  ///< blends by the alpha channel, which is pre-multiplied
    uint32_t fourcc_opaque; ///< ignores the alpha channel, if there is one
    /// The same format with the other of the encodings SRGB and UNORM, if there is one.
    VkFormat twin = VK_FORMAT_UNDEFINED;
    /// Whether VK_EXT_4444_formats has the format before Vulkan 1.3. False: Vulkan 1.0 has it.
    bool is_of_4444_formats = false;

    [[nodiscard]] constexpr bool is_srgb() const {
        return std::string_view(name).ends_with("_SRGB");
    }
    [[nodiscard]] constexpr bool is_float() const {
        return std::string_view(name).ends_with("_SFLOAT");
    }
    [[nodiscard]] constexpr bool has_alpha() const { return fourcc_alpha != fourcc_opaque; }
};

/// Every format that the layer can present, the most common first.
[[nodiscard]] std::span<const Format> formats();

/// The size of a pixel in bytes.
[[nodiscard]] uint32_t pixel_size(const Format& format);

/// The entry for `format`, or null.
[[nodiscard]] const Format* find_format(VkFormat format);

} // namespace fencebridge::vk
