// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/modifier_choice.hpp"
#include "swapchain/window.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// The least that each image of a swapchain is: one pixel to render to.
[[nodiscard]] vk::ImageParameters smallest_image(VkFormat format);

/// The layouts in which images can be shared.
struct Layouts {
    /// What the images are to be made with: the given flags, and VK_IMAGE_CREATE_ALIAS_BIT unless
    /// that costs a layout.
    VkImageCreateFlags flags;
    /// What the driver can do without VK_IMAGE_CREATE_ALIAS_BIT. Whatever the window system takes
    /// next, no other modifiers decide what a new swapchain is made with.
    std::vector<uint64_t> driver;
    /// What both sides can do, best first. Within one the driver may choose.
    std::vector<std::vector<vk::DriverModifier>> candidates;
};

/// The application may bind images of its own to a swapchain image's memory
/// (VkBindImageMemorySwapchainInfoKHR). Images that are made alike interpret it alike, whatever has
/// been done through the other, if both have VK_IMAGE_CREATE_ALIAS_BIT (the specification's "Memory
/// Aliasing"). Few applications do that: where the driver has fewer layouts with the flag (ANV has
/// DRM_FORMAT_MOD_LINEAR alone), images are made without.
/// @param parameters  without VK_IMAGE_CREATE_ALIAS_BIT
[[nodiscard]] Layouts find_layouts(const vk::PhysicalDevice& physical,
                                   const vk::ImageParameters& parameters,
                                   const core::DmabufFeedback& feedback, uint32_t fourcc);

/// A failure that another layout could avoid: not one that will pass.
[[nodiscard]] bool depends_on_layout(VkResult result);

/// The formats in which a swapchain on this surface can be made, and what can be done with one: a
/// driver and a window system without a layout in common have none.
struct SurfaceFormats {
    std::vector<VkFormat> formats;
    VkImageUsageFlags usage = 0;
    bool blends = false; ///< whether each can also be shown with its alpha channel
};
[[nodiscard]] SurfaceFormats find_surface_formats(const vk::PhysicalDevice& physical,
                                                  const core::DmabufFeedback& feedback);

/// Whether the window system takes an image of this device's, in any layout that both sides say
/// they can do: one is made as a swapchain would make it, and offered.
/// @return or why that cannot be told: VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_DEVICE_LOST,
///         VK_ERROR_TOO_MANY_OBJECTS, or memory that was out
[[nodiscard]] std::expected<bool, VkResult> can_show_an_image(const vk::Device& device,
                                                              const vk::PhysicalDevice& physical,
                                                              Window& window, VkFormat format);

} // namespace fencebridge
