// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "util/fd.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::image {

/// Where one memory plane lies in the dma-buf, in bytes.
struct Plane {
    uint32_t offset;
    uint32_t pitch;
};

/// How an image lies in its dma-buf, as the window system needs to know it. All planes are in one
/// buffer.
struct Layout {
    uint64_t modifier;
    uint32_t plane_count;
    std::array<Plane, 4> planes; ///< no DRM format has more
};

/// An image of a swapchain, with its memory and the dma-buf that the memory is. Members die in
/// reverse order: the image before its memory.
struct SwapchainImage {
    Fd dma_buf; ///< empty once nobody needs it any more
    vk::Memory memory;
    vk::Image image;
    Layout layout;
    bool dedicated; ///< the memory is for this VkImage alone
};

/// Makes an image in memory that the driver allocates and exports.
/// @param modifiers  the layouts to choose from, all found by vk::find_modifiers()
/// @return or what the driver said
[[nodiscard]] std::expected<SwapchainImage, VkResult>
allocate_by_driver_export(const vk::Device& device, const vk::ImageParameters& parameters,
                          std::span<const vk::DriverModifier> modifiers);

/// Imports a swapchain image's dma-buf once more, as memory for one alias alone: memory that is
/// dedicated to an image can be bound to no other (VkMemoryDedicatedAllocateInfo).
/// @param alias  made by create_alias()
[[nodiscard]] std::expected<vk::Memory, VkResult>
import_for_alias(const vk::Device& device, const SwapchainImage& image, VkImage alias);

/// Makes another VkImage that can be bound to the memory of a swapchain image: the application's
/// vkCreateImage with VkImageSwapchainCreateInfoKHR.
[[nodiscard]] VkResult create_alias(const vk::Device& device, const vk::ImageParameters& parameters,
                                    const Layout& layout, const VkAllocationCallbacks* allocator,
                                    VkImage* image);

} // namespace fencebridge::image
