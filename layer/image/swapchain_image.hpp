// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vulkan/vulkan.h>

#include "image/host_memory.hpp"
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
/// memory, as the allocator's placement says. Members are destroyed in reverse order: the image
/// before its memory.
struct SwapchainImage {
    Fd dma_buf;      ///< empty once neither bridge nor window system needs it
    HostMemory host; ///< empty unless `memory` is imported from it
    vk::Memory memory;
    vk::Image image;
    Layout layout;
    bool dedicated; ///< the memory can be bound to this VkImage only
};

} // namespace fencebridge::image
