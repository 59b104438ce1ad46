// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "core/surface_limits.hpp"
#include "entry/extensions.hpp"
#include "vk/chain.hpp"

namespace fencebridge::entry {

/// Fills the structures that instance extensions let an application chain to its query of a
/// surface's capabilities (VK_KHR_get_surface_capabilities2, VK_KHR_surface_protected_capabilities,
/// VK_EXT_surface_maintenance1), or that extensions hidden by the layer have. The driver that
/// offers those extensions is not asked, so the layer answers; its answer is what it can do.
inline void fill_capabilities_chain(const VkPhysicalDeviceSurfaceInfo2KHR& info,
                                    VkSurfaceCapabilities2KHR& capabilities) {
    VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
    for (const auto* node = static_cast<const VkBaseInStructure*>(info.pNext); node != nullptr;
         node = node->pNext) {
        if (node->sType == VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT) {
            mode = reinterpret_cast<const VkSurfacePresentModeEXT*>(node)->presentMode;
            capabilities.surfaceCapabilities.minImageCount = core::image_count(0, mode);
        }
    }
    clear_hidden_answers(capabilities.pNext);
    for (auto* node = static_cast<VkBaseOutStructure*>(capabilities.pNext); node != nullptr;
         node = node->pNext) {
        switch (static_cast<uint32_t>(node->sType)) {
        case VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR:
            reinterpret_cast<VkSurfaceProtectedCapabilitiesKHR*>(node)->supportsProtected =
                VK_FALSE;
            break;
        case VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT: {
            auto& scaling = *reinterpret_cast<VkSurfacePresentScalingCapabilitiesEXT*>(node);
            scaling.supportedPresentScaling = 0;
            scaling.supportedPresentGravityX = 0;
            scaling.supportedPresentGravityY = 0;
            scaling.minScaledImageExtent = capabilities.surfaceCapabilities.minImageExtent;
            scaling.maxScaledImageExtent = capabilities.surfaceCapabilities.maxImageExtent;
            break;
        }
        case VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT: {
            // Modes cannot be changed without a new swapchain: each goes with itself alone.
            auto& modes = *reinterpret_cast<VkSurfacePresentModeCompatibilityEXT*>(node);
            if (modes.pPresentModes != nullptr && modes.presentModeCount > 0)
                modes.pPresentModes[0] = mode;
            if (modes.pPresentModes == nullptr || modes.presentModeCount > 1)
                modes.presentModeCount = 1;
            break;
        }
        case vk::structure_type<vk::ImageUsageFlags2>:
            reinterpret_cast<vk::ImageUsageFlags2*>(node)->usage =
                capabilities.surfaceCapabilities.supportedUsageFlags;
            break;
        default:
            break;
        }
    }
}

} // namespace fencebridge::entry
