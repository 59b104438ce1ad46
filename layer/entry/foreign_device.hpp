// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <vulkan/vulkan.h>

#include "core/modifier_choice.hpp"
#include "entry/registry.hpp"

namespace fencebridge::entry {

/// Whether the layer's images can be shown on a surface, as far as a query can tell. A device that
/// is none of the compositor's shares the linear layout at most, and not all of those can import it
/// from each other (other memory, other alignment). If such a device has a window system
/// integration of its own to go back to, one image is made and offered to the compositor.
/// @param feedback  the surface's
/// @param format    one in which images could be shared
/// @return also true when it cannot be tried, as with a loader that makes no device for a layer or
///         a driver that refuses another one; or, when this time it could not be told,
///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_OUT_OF_DEVICE_MEMORY
[[nodiscard]] std::expected<bool, VkResult>
shares_buffers(const Instance& instance, const vk::PhysicalDevice& physical, VkSurfaceKHR handle,
               Window& window, const core::DmabufFeedback& feedback, VkFormat format);

} // namespace fencebridge::entry
