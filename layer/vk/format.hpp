// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// A swapchain format and the DRM formats (drm_fourcc.h) under which a compositor shows it.
struct Format {
    VkFormat format;
    const char* name;
    uint32_t fourcc_alpha;  ///< with its alpha channel used, pre-multiplied
    uint32_t fourcc_opaque; ///< with its alpha channel ignored, if it has one
};

/// Every format that the layer can present, the most usual first.
[[nodiscard]] std::span<const Format> formats();

/// The entry for `format`, or null.
[[nodiscard]] const Format* find_format(VkFormat format);

} // namespace fencebridge::vk
