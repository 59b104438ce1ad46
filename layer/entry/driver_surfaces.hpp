// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <vulkan/vulkan.h>

// What a driver can do by itself with surfaces of the layer's window systems.

namespace fencebridge::entry {

struct Instance;

/// @return if `result` is a transient failure, the result that a surface query reports for it; else
///         nothing
[[nodiscard]] std::optional<VkResult> transient_failure(VkResult result);

/// Whether the driver itself can present to the surface. The driver's list of extensions does not
/// say: the loader adds the extensions of an implicit layer's manifest to it.
/// @return the error is a transient failure
[[nodiscard]] std::expected<bool, VkResult>
driver_presents(const Instance& instance, VkPhysicalDevice device, VkSurfaceKHR surface);

} // namespace fencebridge::entry
