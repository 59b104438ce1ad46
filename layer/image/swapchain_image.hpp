// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vulkan/vulkan.h>

#include "core/layout_choice.hpp"
#include "image/host_memory.hpp"
#include "image/present_commands.hpp"
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

/// An image of a swapchain, and its memory. Members are destroyed in reverse order: the commands
/// before the image, the image before its memory.
struct SwapchainImage {
    core::Placement placement;
    Fd dma_buf; ///< with Placement::dma_buf; empty once nothing needs it
    /// Whether others wait for the fences that are attached to the dma-buf.
    vk::ImplicitFences implicit_fences;
    HostMemory host; ///< with Placement::shared_memory
    vk::Memory memory;
    vk::Image image;
    Layout layout;  ///< as the window system sees it
    bool dedicated; ///< the memory can be bound to this VkImage only
    /// The window system reads a copy in the dma-buf or host memory. False: that is `memory`.
    bool is_copied = false;
    std::unique_ptr<PresentCommands> commands = {}; ///< null if a present needs none
    std::shared_ptr<const void> source = {};        ///< of the memory: kept open for the next image

    [[nodiscard]] bool carries_fences() const { return core::carries_fences(placement); }
};

} // namespace fencebridge::image
