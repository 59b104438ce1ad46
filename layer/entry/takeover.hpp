// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vulkan/vulkan.h>

#include "entry/registry.hpp"

namespace fencebridge::entry {

/// A surface and a physical device of which the layer makes the swapchains.
struct Takeover {
    std::shared_ptr<const vk::PhysicalDevice> physical;
    std::shared_ptr<SurfaceRecord> surface; ///< null for a query without a surface
    std::shared_ptr<const SurfaceSupport> support;
};

/// Decides whether the layer or the driver makes the swapchains of a physical device on a surface.
/// The first call that returns no error decides for all swapchains of this device on this surface.
///
/// The layer makes them if window system and driver have a buffer layout in common, and the surface
/// is not left to the driver (core::Yield). Where only a trial shows whether the window system
/// imports the images, it must also have accepted one, if that can be tried ("Trials" in
/// docs/takeover.md). A trial reads from the window system.
/// @return nothing if the driver makes them; or, if it could not be decided this time,
///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY;
///         or VK_ERROR_UNKNOWN if the device of a trial was lost
[[nodiscard]] std::expected<std::optional<Takeover>, VkResult>
decide_takeover(Instance& instance, VkPhysicalDevice device, VkSurfaceKHR surface);

} // namespace fencebridge::entry
