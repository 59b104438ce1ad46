// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "core/takeover_choice.hpp"
#include "swapchain/candidates.hpp"
#include "swapchain/window.hpp"
#include "vk/device.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// Makes one image of the first candidate that can be made, and tries on it what the kernel and the
/// layer's transports do with fences. The image is not shown to the window system.
/// @return the error is VK_ERROR_INITIALIZATION_FAILED if no image can be made, or one of
///         find_candidates() and ImageAllocator::allocate()
[[nodiscard]] std::expected<core::TriedFences, VkResult>
try_fences(const Requested& requested, const vk::Device& device, const vk::PhysicalDevice& physical,
           Window& window, VkFormat format);

} // namespace fencebridge
