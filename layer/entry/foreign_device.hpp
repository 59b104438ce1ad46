// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "core/modifier_choice.hpp"
#include "entry/registry.hpp"

namespace fencebridge::entry {

/// Whether the compositor can import this device's images. A device that the feedback does not name
/// shares at most LINEAR, and not every GPU imports another's LINEAR buffers (other memory, other
/// alignment). If the driver can present by itself, one image of each layout in turn is offered to
/// the compositor until it takes one.
/// @param feedback  the surface's
/// @param format    one in which images could be shared
/// @return also true when it cannot be tried, as with a loader that makes no device for a layer or
///         a driver that refuses another one; or, when this time it could not be told,
///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_OUT_OF_DEVICE_MEMORY
[[nodiscard]] std::expected<bool, VkResult>
shares_buffers(const Instance& instance, const vk::PhysicalDevice& physical, VkSurfaceKHR handle,
               Window& window, const core::DmabufFeedback& feedback, VkFormat format);

} // namespace fencebridge::entry
