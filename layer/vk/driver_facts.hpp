// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vulkan/vulkan.h>

#include "core/takeover_choice.hpp"

namespace fencebridge::vk {

/// Whether other users of a driver's buffers wait for the fences that are attached to the dma-buf.
/// `unknown` is treated as `honoured`.
enum class ImplicitFences { honoured, ignored, unknown };

/// What a driver does that Vulkan has no query for. docs/drivers.md, "Drivers, one by one", has the
/// rest.
struct DriverFacts {
    /// For buffers that the driver allocates and exports.
    ImplicitFences implicit_fences_on_exports = ImplicitFences::unknown;
    /// For buffers that the kernel allocates and the driver imports.
    ImplicitFences implicit_fences_on_imports = ImplicitFences::unknown;
    /// Whether the driver can be asked to import buffers of libgbm's. If it cannot import one, it
    /// returns an error.
    bool imports_gbm = true;
    /// What the driver's own swapchains do with fences on Wayland.
    core::OwnSwapchains own_swapchains = {};
    /// Whether VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR is an image layout like others, even without
    /// VK_KHR_shared_presentable_image.
    bool knows_shared_present_layout = false;
    /// Whether vkGetPhysicalDeviceSurfaceSupportKHR answers for headless surfaces, also if the
    /// driver does not have VK_EXT_headless_surface. The loader then hands down a surface that it
    /// made itself.
    bool answers_for_headless_surfaces = true;
};

/// @param driver   VkPhysicalDeviceDriverProperties::driverID; 0 if unknown
/// @param version  VkPhysicalDeviceProperties::driverVersion
[[nodiscard]] DriverFacts facts_of(VkDriverId driver, uint32_t version);

} // namespace fencebridge::vk
