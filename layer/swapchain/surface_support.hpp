// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vector>
#include <vulkan/vulkan.h>

#include "swapchain/window.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// The parameters of a 1x1 image with the usage that every swapchain image has.
[[nodiscard]] vk::ImageParameters smallest_image(VkFormat format);

/// Whether any allocator can make images of a format on this device, for some window system.
[[nodiscard]] bool can_make_images(const vk::PhysicalDevice& physical, VkFormat format);

/// What a physical device supports on a window. Without formats if driver and window system have no
/// layout in common.
struct SurfaceSupport {
    std::vector<VkSurfaceFormatKHR> formats;
    VkImageUsageFlags usage = 0;
    bool blends = false; ///< whether each format can also be shown with its alpha channel
};
/// @return or VK_ERROR_SURFACE_LOST_KHR
[[nodiscard]] std::expected<SurfaceSupport, VkResult>
find_surface_support(const vk::PhysicalDevice& physical, Window& window);

/// Whether the window system imports an image of this device, in any layout that both sides claim
/// to support. One image is made as a swapchain would make it, and offered to the window system.
/// @return or why that is not known: VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_DEVICE_LOST,
///         VK_ERROR_TOO_MANY_OBJECTS, or memory that was out
[[nodiscard]] std::expected<bool, VkResult> can_show_an_image(const vk::Device& device,
                                                              const vk::PhysicalDevice& physical,
                                                              Window& window, VkFormat format);

} // namespace fencebridge
