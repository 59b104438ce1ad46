// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "info/facts.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge::info {

/// Asks a driver which handle types of memory, semaphores and fences it exports and imports, of
/// those that the layer uses. Without the extension of a type, neither.
[[nodiscard]] std::vector<HandleFacts> find_handles(const vk::PhysicalDevice& device);

} // namespace fencebridge::info
