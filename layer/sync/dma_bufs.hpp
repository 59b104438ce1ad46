// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "image/swapchain_image.hpp"
#include "util/deadline.hpp"

namespace fencebridge::sync {

/// Waits until one of some images may be written to, by poll() on their dma-bufs.
/// @param of  not empty
/// @return the first in order that may; nothing when the deadline passed before one could; or
///         VK_ERROR_OUT_OF_HOST_MEMORY
[[nodiscard]] std::expected<std::optional<core::ImageIndex>, VkResult>
wait_for_idle(std::span<const image::SwapchainImage> images, const core::ImageList& of,
              const Deadline& deadline);

} // namespace fencebridge::sync
