// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

namespace fencebridge::core {

/// The maximum number of images of a swapchain, on any window system. It bounds the memory and
/// descriptors of one swapchain.
inline constexpr uint32_t max_images = 64;

/// A present mode, and the fewest images that a swapchain needs for it.
struct PresentModeLimits {
    VkPresentModeKHR mode;
    uint32_t min_images;
};

/// What a window system allows a swapchain to be, at the moment of the query.
struct SurfaceLimits {
    /// VkSurfaceCapabilitiesKHR::currentExtent; {UINT32_MAX, UINT32_MAX}: the surface takes the
    /// size of the images.
    VkExtent2D current_extent = {UINT32_MAX, UINT32_MAX};
    /// The sizes of images that the window system can show; the device may have a lower maximum.
    VkExtent2D min_extent = {1, 1};
    VkExtent2D max_extent = {UINT32_MAX, UINT32_MAX};
    /// FIFO first: the mode that every application can rely on. Those that share the image with the
    /// window system (shares_image()) last. The span is valid as long as the window.
    std::span<const PresentModeLimits> modes;
};

/// Whether the application draws to the swapchain's one image while the window system reads it
/// (VK_KHR_shared_presentable_image).
[[nodiscard]] constexpr bool shares_image(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR ||
           mode == VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR;
}

/// The present modes on a device.
/// @param shared  whether the device can share an image with the window system
[[nodiscard]] constexpr std::span<const PresentModeLimits>
usable_modes(std::span<const PresentModeLimits> modes, bool shared) {
    while (!shared && !modes.empty() && shares_image(modes.back().mode))
        modes = modes.first(modes.size() - 1);
    return modes;
}

/// The entry of a present mode, or null if the window system does not have it.
[[nodiscard]] constexpr const PresentModeLimits* find_mode(const SurfaceLimits& limits,
                                                           VkPresentModeKHR mode) {
    const auto found = std::ranges::find(limits.modes, mode, &PresentModeLimits::mode);
    return found == limits.modes.end() ? nullptr : &*found;
}

/// The present modes between which a swapchain that was made for `mode` can change at each present.
/// A mode decides when an image is shown; the images are the same. Those that share the one image
/// with the window system are apart.
/// @param mode  may be one that the window system does not have
/// @return `mode` first; empty for a mode that the window system does not have
[[nodiscard]] inline std::vector<VkPresentModeKHR> compatible_modes(const SurfaceLimits& limits,
                                                                    VkPresentModeKHR mode) {
    std::vector<VkPresentModeKHR> modes;
    if (find_mode(limits, mode) == nullptr)
        return modes;
    modes.push_back(mode);
    for (const PresentModeLimits& other : limits.modes) {
        if (other.mode != mode && shares_image(other.mode) == shares_image(mode))
            modes.push_back(other.mode);
    }
    return modes;
}

/// The number of images of a swapchain: at least as many as requested, and enough for each of its
/// present modes.
/// @param modes  of limits.modes
[[nodiscard]] constexpr uint32_t image_count(const SurfaceLimits& limits, uint32_t requested,
                                             std::span<const VkPresentModeKHR> modes) {
    uint32_t count = requested;
    for (const VkPresentModeKHR mode : modes)
        count = std::max(count, find_mode(limits, mode)->min_images);
    return count;
}

/// The answer of vkGetPhysicalDeviceSurfaceCapabilitiesKHR.
/// @param usage       what the driver can do with an image that it shares with the window system
/// @param blends      whether images can be shown with their alpha channel
/// @param max_size    maxImageDimension2D of the device
[[nodiscard]] constexpr VkSurfaceCapabilitiesKHR surface_capabilities(const SurfaceLimits& limits,
                                                                      VkImageUsageFlags usage,
                                                                      bool blends,
                                                                      uint32_t max_size) {
    VkCompositeAlphaFlagsKHR alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    if (blends)
        alpha |= VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    return {
        .minImageCount = limits.modes.front().min_images,
        .maxImageCount = max_images,
        .currentExtent = limits.current_extent,
        .minImageExtent = limits.min_extent,
        .maxImageExtent = {std::min(limits.max_extent.width, max_size),
                           std::min(limits.max_extent.height, max_size)},
        .maxImageArrayLayers = 1,
        .supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .supportedCompositeAlpha = alpha,
        .supportedUsageFlags = usage,
    };
}

} // namespace fencebridge::core
