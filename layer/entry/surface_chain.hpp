// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "core/surface_limits.hpp"
#include "swapchain/present_timing.hpp"

// The structures that an application may chain to its query of a surface's capabilities: those of
// VK_KHR_surface_protected_capabilities, VK_KHR_surface_maintenance1, VK_KHR_extended_flags and the
// hidden extensions.

namespace fencebridge::entry {

/// Answers the chained structures for a swapchain of the layer's, and sets minImageCount for the
/// present mode that the query names.
/// @param shared_image  whether images can be shared (VK_KHR_shared_presentable_image)
/// @param presentation  what the window system can do with times (VK_EXT_present_timing)
/// @param capabilities  surfaceCapabilities is filled in
void fill_capabilities_chain(const core::SurfaceLimits& limits, bool shared_image,
                             const PresentationSupport& presentation,
                             const VkPhysicalDeviceSurfaceInfo2KHR& info,
                             VkSurfaceCapabilities2KHR& capabilities);

/// The driver's answer about a surface of its own. The layer provides the instance extensions
/// whatever driver there is, and a driver that lacks them leaves their structures unchanged. These
/// get the answer of a surface without scaling, on which a swapchain keeps its present mode.
class DriverCapabilities {
public:
    /// To be called before the driver is asked.
    DriverCapabilities(const VkPhysicalDeviceSurfaceInfo2KHR& info,
                       VkSurfaceCapabilities2KHR& capabilities);
    /// To be called when the driver has answered.
    void complete() const;

private:
    VkSurfaceCapabilities2KHR& capabilities_;
    const VkPresentModeKHR mode_;
};

} // namespace fencebridge::entry
