// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

namespace fencebridge::vk {

/// Whether other users of a driver's exported buffers wait for the fences that are attached to the
/// dma-buf.
enum class Importers { obey_fences, ignore_fences };

/// What a driver does that Vulkan has no query for. docs/design.md, "Drivers seen", has the rest.
struct DriverFacts {
    Importers importers = Importers::obey_fences;
};

/// @param driver  VkPhysicalDeviceDriverProperties::driverID; 0 where it is not known
[[nodiscard]] DriverFacts facts_of(VkDriverId driver);

} // namespace fencebridge::vk
