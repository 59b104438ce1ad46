// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "image/swapchain_image.hpp"
#include "util/fd.hpp"

// Queries of fences, and waits for fences, by poll(2).

namespace fencebridge::sync {

/// Searches for an idle image, by poll() on the dma-bufs. Does not wait.
/// @param among  not empty
/// @param busy   as many elements as `among`. If no image is found, filled with what to poll for
///               before the next search.
/// @return the first such image in the order of `among`; or VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<std::optional<core::ImageIndex>, VkResult>
find_idle(std::span<const image::SwapchainImage> images, const core::ImageList& among,
          std::span<pollfd> busy);

/// Waits on the CPU until a rendering's sync_file has signalled: the last resort of every transport
/// for a fence that it cannot carry. Whoever has a Rendering calls its wait() instead. No limit of
/// its own: a sync_file signals in the time that the kernel's drivers give a job.
/// @param rendering_fence  empty: returns at once
/// @return VK_SUCCESS; or VK_ERROR_DEVICE_LOST, which is the only error left: lack of memory would
///         mean that the present's wait semaphores still have their signals
[[nodiscard]] VkResult wait_on_cpu(const Fd& rendering_fence);

} // namespace fencebridge::sync
