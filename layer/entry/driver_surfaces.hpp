// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <vulkan/vulkan.h>

#include "vk/physical_device.hpp"

// What a driver can do by itself with surfaces of the layer's window systems.

namespace fencebridge::entry {

struct Instance;

/// @return if `result` is a transient failure, the result that a surface query reports for it; else
///         nothing
[[nodiscard]] std::optional<VkResult> transient_failure(VkResult result);

/// Whether the driver may have swapchains of its own. True does not say that it has: the loader
/// adds the extensions of an implicit layer's manifest to the driver's list.
[[nodiscard]] bool has_swapchains(const vk::PhysicalDevice& driver);

/// Whether the driver itself can present to the surface: it says so, and lists formats. To be asked
/// only if has_swapchains(): older loaders end the process if a driver lacks the command.
/// @return the error is a transient failure
[[nodiscard]] std::expected<bool, VkResult>
driver_presents(const Instance& instance, VkPhysicalDevice device, VkSurfaceKHR surface);

} // namespace fencebridge::entry
