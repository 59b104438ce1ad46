// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vulkan/vulkan.h>

#include "image/host_memory.hpp"
#include "image/image_copy.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::image {

/// The place of one memory plane in the shared memory, in bytes.
struct Plane {
    uint32_t offset;
    uint32_t pitch;
};

/// The layout of an image in its memory. All planes are in one piece of memory.
struct Layout {
    uint64_t modifier; ///< the DRM format modifier by which the window system knows it
    VkImageTiling tiling;
    uint32_t plane_count;
    std::array<Plane, 4> planes; ///< no DRM format has more
};

/// An image of a swapchain, and its memory, which the window system can import: a dma-buf or host
/// memory, as the allocator's placement says. Members are destroyed in reverse order: the copy
/// before the image, the image before its memory.
struct SwapchainImage {
    Fd dma_buf; ///< empty once nothing needs it
    /// Whether others wait for the fences that are attached to the dma-buf.
    vk::ImplicitFences implicit_fences;
    HostMemory host; ///< empty unless the window system maps the memory
    vk::Memory memory;
    vk::Image image;
    Layout layout;  ///< as the window system sees it
    bool dedicated; ///< the memory can be bound to this VkImage only
    /// The copy of the image in the dma-buf or host memory. Null: `memory` is that memory itself.
    std::unique_ptr<ImageCopy> copy = {};
};

} // namespace fencebridge::image
