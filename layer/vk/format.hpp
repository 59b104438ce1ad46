// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// A swapchain format, and the DRM formats (drm_fourcc.h) with which a compositor reads it.
struct Format {
    VkFormat format;
    const char* name;
    uint32_t fourcc_alpha;  ///< blends by the alpha channel, which is pre-multiplied
    uint32_t fourcc_opaque; ///< ignores the alpha channel, if there is one
};

/// Every format that the layer can present, the most common first.
[[nodiscard]] std::span<const Format> formats();

/// All formats(), each with VK_COLOR_SPACE_SRGB_NONLINEAR_KHR, which every window system supports.
[[nodiscard]] std::vector<VkSurfaceFormatKHR> srgb_formats();

/// The entry for `format`, or null.
[[nodiscard]] const Format* find_format(VkFormat format);

} // namespace fencebridge::vk
