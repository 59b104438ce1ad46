// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "image/swapchain_image.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::image {

/// Creates a VkImage that can be bound to the memory of a swapchain image: the application's
/// vkCreateImage with VkImageSwapchainCreateInfoKHR.
/// @param like  an image of the swapchain
[[nodiscard]] VkResult create_alias(const vk::Device& device, const vk::ImageParameters& parameters,
                                    const SwapchainImage& like,
                                    const VkAllocationCallbacks* allocator, VkImage* image);

/// Imports a swapchain image's dma-buf as memory for one alias: memory that is dedicated to an
/// image can be bound to no other (VkMemoryDedicatedAllocateInfo).
/// @param alias  made by create_alias()
[[nodiscard]] std::expected<vk::Memory, VkResult>
import_for_alias(const vk::Device& device, const SwapchainImage& image, VkImage alias);

} // namespace fencebridge::image
