// SPDX-License-Identifier: MIT
#include "vk/format.hpp"

#include <algorithm>
#include <array>
#include <drm_fourcc.h>

namespace fencebridge::vk {

namespace {

// DRM names the channels from the highest bit of a little-endian word, as Vulkan's _PACK formats
// do. Vulkan's other formats name them from the first byte: their letters have the opposite order.
constexpr std::array all = {
    Format{VK_FORMAT_B8G8R8A8_SRGB, "B8G8R8A8_SRGB", DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888},
    Format{VK_FORMAT_B8G8R8A8_UNORM, "B8G8R8A8_UNORM", DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888},
    Format{VK_FORMAT_R8G8B8A8_SRGB, "R8G8B8A8_SRGB", DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    Format{VK_FORMAT_R8G8B8A8_UNORM, "R8G8B8A8_UNORM", DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    Format{VK_FORMAT_A2R10G10B10_UNORM_PACK32, "A2R10G10B10_UNORM_PACK32", DRM_FORMAT_ARGB2101010,
           DRM_FORMAT_XRGB2101010},
    Format{VK_FORMAT_A2B10G10R10_UNORM_PACK32, "A2B10G10R10_UNORM_PACK32", DRM_FORMAT_ABGR2101010,
           DRM_FORMAT_XBGR2101010},
    Format{VK_FORMAT_R16G16B16A16_SFLOAT, "R16G16B16A16_SFLOAT", DRM_FORMAT_ABGR16161616F,
           DRM_FORMAT_XBGR16161616F},
    Format{VK_FORMAT_R5G6B5_UNORM_PACK16, "R5G6B5_UNORM_PACK16", DRM_FORMAT_RGB565,
           DRM_FORMAT_RGB565},
};

} // namespace

std::span<const Format> formats() { return all; }

std::vector<VkSurfaceFormatKHR> srgb_formats() {
    std::vector<VkSurfaceFormatKHR> with_space;
    for (const Format& format : all)
        with_space.push_back({format.format, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR});
    return with_space;
}

const Format* find_format(VkFormat format) {
    const auto* found = std::ranges::find(all, format, &Format::format);
    return found == all.end() ? nullptr : found;
}

} // namespace fencebridge::vk
