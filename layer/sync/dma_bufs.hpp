// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "image/swapchain_image.hpp"

namespace fencebridge::sync {

/// Looks for an image that may be written to, by poll() on their dma-bufs. Does not wait.
/// @param of    not empty
/// @param busy  as many as `of`: what to poll for before the next look, where nothing is returned
/// @return the first in order that may; or VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<std::optional<core::ImageIndex>, VkResult>
find_idle(std::span<const image::SwapchainImage> images, const core::ImageList& of,
          std::span<pollfd> busy);

} // namespace fencebridge::sync
