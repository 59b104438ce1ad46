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

/// Whether the application draws to memory that only the driver reads. The dma-buf or host memory
/// of a copied image is that of its copy.
[[nodiscard]] inline bool is_unshared(const SwapchainImage& image) {
    return image.is_copied || image.placement == core::Placement::unshared;
}

/// Whether aliases are bound to an import of the image's dma-buf: memory that is dedicated to an
/// image can be bound to no other (VkMemoryDedicatedAllocateInfo).
[[nodiscard]] inline bool alias_needs_dma_buf(const SwapchainImage& image) {
    return image.dedicated && !is_unshared(image);
}

/// Imports the memory of a swapchain image once more, for one alias.
/// @param image  its memory is dedicated to it
/// @param alias  made by create_alias()
/// @return the error is VK_ERROR_OUT_OF_DEVICE_MEMORY, also if is_unshared(), or
///         VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<vk::Memory, VkResult>
import_for_alias(const vk::Device& device, const SwapchainImage& image, VkImage alias);

} // namespace fencebridge::image
