// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::image {

/// The place of one memory plane in the dma-buf, in bytes.
struct Plane {
    uint32_t offset;
    uint32_t pitch;
};

/// The layout of an image in its dma-buf. All planes are in one dma-buf.
struct Layout {
    uint64_t modifier;
    uint32_t plane_count;
    std::array<Plane, 4> planes; ///< no DRM format has more
};

/// An image of a swapchain, its memory, and the dma-buf of that memory. Members are destroyed in
/// reverse order: the image before its memory.
struct SwapchainImage {
    Fd dma_buf; ///< empty once neither bridge nor window system needs it
    vk::Memory memory;
    vk::Image image;
    Layout layout;
    bool dedicated; ///< the memory can be bound to this VkImage only
};

} // namespace fencebridge::image
