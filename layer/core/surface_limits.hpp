// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vulkan/vulkan.h>

namespace fencebridge::core {

/// FIFO needs one image on screen, one waiting for its turn and one to draw into.
inline constexpr uint32_t min_images = 3;
/// MAILBOX needs a fourth: with one on screen and one latched for the next refresh, a third may
/// wait to replace it while the application draws into the fourth.
inline constexpr uint32_t min_images_mailbox = 4;
/// More than this is a mistake; it bounds what a swapchain can ask of the system.
inline constexpr uint32_t max_images = 64;

/// FIFO first: the one that every application can rely on.
inline constexpr std::array present_modes = {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR};

[[nodiscard]] constexpr bool has_present_mode(VkPresentModeKHR mode) {
    return std::ranges::find(present_modes, mode) != present_modes.end();
}

/// How many images a swapchain gets: no fewer than asked for, and enough for its present mode.
[[nodiscard]] constexpr uint32_t image_count(uint32_t requested, VkPresentModeKHR mode) {
    return std::max(requested,
                    mode == VK_PRESENT_MODE_MAILBOX_KHR ? min_images_mailbox : min_images);
}

/// What vkGetPhysicalDeviceSurfaceCapabilitiesKHR says of a Wayland surface.
///
/// @param usage       what the driver can do with an image that it shares with the compositor
/// @param blends      whether images can be shown with their alpha channel
/// @param max_extent  maxImageDimension2D of the device
[[nodiscard]] constexpr VkSurfaceCapabilitiesKHR
surface_capabilities(VkImageUsageFlags usage, bool blends, uint32_t max_extent) {
    VkCompositeAlphaFlagsKHR alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    if (blends)
        alpha |= VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR;
    return {
        .minImageCount = min_images,
        .maxImageCount = max_images,
        // VK_KHR_wayland_surface: the surface takes the size of what is presented.
        .currentExtent = {UINT32_MAX, UINT32_MAX},
        .minImageExtent = {1, 1},
        .maxImageExtent = {max_extent, max_extent},
        .maxImageArrayLayers = 1,
        .supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .supportedCompositeAlpha = alpha,
        .supportedUsageFlags = usage,
    };
}

} // namespace fencebridge::core
