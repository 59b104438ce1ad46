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

/// The application may bind images of its own to the same memory
/// (VkBindImageMemorySwapchainInfoKHR). Images that are made alike interpret it alike, whatever has
/// been done through the other, if both have this flag (the specification's "Memory Aliasing").
inline constexpr VkImageCreateFlags flags_of_images = VK_IMAGE_CREATE_ALIAS_BIT;

/// The layouts in which images can be shared.
struct Layouts {
    std::vector<vk::DriverModifier> driver;        ///< what the driver can do
    std::vector<std::vector<uint64_t>> candidates; ///< what both sides can do, best first
};

/// @param parameters  few applications alias a swapchain's images: where that keeps the driver from
///                    sharing any, the flag is taken off
[[nodiscard]] Layouts find_layouts(const vk::PhysicalDevice& physical,
                                   vk::ImageParameters& parameters,
                                   const core::DmabufFeedback& feedback, uint32_t fourcc);

[[nodiscard]] std::vector<uint64_t> modifiers_of(std::span<const vk::DriverModifier> all);

/// Those of the driver's modifiers that are in the list.
[[nodiscard]] std::vector<vk::DriverModifier>
select_modifiers(std::span<const vk::DriverModifier> driver, std::span<const uint64_t> list);

/// A failure that another layout could avoid.
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
/// @return or why that cannot be told: VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_DEVICE_LOST, or memory
///         that was out
[[nodiscard]] std::expected<bool, VkResult> can_show_an_image(const vk::Device& device,
                                                              const vk::PhysicalDevice& physical,
                                                              Window& window, VkFormat format);

} // namespace fencebridge
