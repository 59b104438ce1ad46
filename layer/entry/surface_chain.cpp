// SPDX-License-Identifier: MIT
#include "entry/surface_chain.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "entry/extensions.hpp"
#include "vk/chain.hpp"
#include "vk/enumerate.hpp"

namespace fencebridge::entry {

namespace {

// What a driver that does not know a structure leaves in it. No driver answers so.
constexpr uint32_t no_count = UINT32_MAX;
constexpr VkPresentModeKHR no_mode = VK_PRESENT_MODE_MAX_ENUM_KHR;
constexpr VkExtent2D no_extent = {UINT32_MAX, 0};

/// The present mode that the query is about; FIFO if it names none.
VkPresentModeKHR mode_of(const VkPhysicalDeviceSurfaceInfo2KHR& info) {
    const auto* named = vk::find<VkSurfacePresentModeEXT>(info.pNext);
    return named == nullptr ? VK_PRESENT_MODE_FIFO_KHR : named->presentMode;
}

/// Answers a structure of what no surface supports: protected images and scaling.
/// @param min, max  the extents that a surface without scaling reports
/// @return whether it is such a structure
bool answer_unsupported(VkBaseOutStructure* node, VkExtent2D min, VkExtent2D max) {
    switch (static_cast<uint32_t>(node->sType)) {
    case VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR:
        reinterpret_cast<VkSurfaceProtectedCapabilitiesKHR*>(node)->supportsProtected = VK_FALSE;
        return true;
    case VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT: {
        auto& scaling = *reinterpret_cast<VkSurfacePresentScalingCapabilitiesEXT*>(node);
        scaling.supportedPresentScaling = 0;
        scaling.supportedPresentGravityX = 0;
        scaling.supportedPresentGravityY = 0;
        scaling.minScaledImageExtent = min;
        scaling.maxScaledImageExtent = max;
        return true;
    }
    default:
        return false;
    }
}

/// @param modes  the one that the query is about is first: it is never left out
void write_modes(VkSurfacePresentModeCompatibilityEXT& to,
                 std::span<const VkPresentModeKHR> modes) {
    static_cast<void>(vk::write_array(modes, &to.presentModeCount, to.pPresentModes));
}

/// Calls visit(type, node) for each structure of a chain of output structures.
template <class Visit>
void for_each_node(void* chain, Visit&& visit) {
    for (auto* node = static_cast<VkBaseOutStructure*>(chain); node != nullptr; node = node->pNext)
        visit(static_cast<uint32_t>(node->sType), node);
}

} // namespace

void fill_capabilities_chain(const core::SurfaceLimits& limits, bool shared_image,
                             const PresentationSupport& presentation,
                             const VkPhysicalDeviceSurfaceInfo2KHR& info,
                             VkSurfaceCapabilities2KHR& capabilities) {
    VkSurfaceCapabilitiesKHR& common = capabilities.surfaceCapabilities;
    const VkPresentModeKHR mode = mode_of(info);
    const core::PresentModeLimits* const limits_of_mode = core::find_mode(limits, mode);
    if (vk::find<VkSurfacePresentModeEXT>(info.pNext) != nullptr && limits_of_mode != nullptr)
        common.minImageCount = limits_of_mode->min_images;
    clear_hidden_answers(capabilities.pNext);
    set_provided_answers(capabilities.pNext, VK_TRUE, [](const Extension&) { return true; });
    for_each_node(capabilities.pNext, [&](uint32_t type, VkBaseOutStructure* node) {
        if (answer_unsupported(node, common.minImageExtent, common.maxImageExtent))
            return;
        if (type == VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT)
            write_modes(*reinterpret_cast<VkSurfacePresentModeCompatibilityEXT*>(node),
                        core::compatible_modes(limits, mode));
        if (type == vk::structure_type<vk::ImageUsageFlags2>)
            reinterpret_cast<vk::ImageUsageFlags2*>(node)->usage = common.supportedUsageFlags;
        const VkImageUsageFlags shared = shared_image ? common.supportedUsageFlags : 0;
        if (type == VK_STRUCTURE_TYPE_SHARED_PRESENT_SURFACE_CAPABILITIES_KHR)
            reinterpret_cast<VkSharedPresentSurfaceCapabilitiesKHR*>(node)
                ->sharedPresentSupportedUsageFlags = shared;
        if (type == vk::structure_type<vk::SharedPresentSurfaceCapabilities2>)
            reinterpret_cast<vk::SharedPresentSurfaceCapabilities2*>(node)->usage = shared;
        if (type == VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT) {
            auto& timing = *reinterpret_cast<VkPresentTimingSurfaceCapabilitiesEXT*>(node);
            timing.presentTimingSupported = VK_TRUE;
            timing.presentAtAbsoluteTimeSupported = presentation.schedules ? VK_TRUE : VK_FALSE;
            timing.presentAtRelativeTimeSupported = presentation.schedules ? VK_TRUE : VK_FALSE;
            timing.presentStageQueries = stages_of(presentation);
        }
    });
}

DriverCapabilities::DriverCapabilities(const VkPhysicalDeviceSurfaceInfo2KHR& info,
                                       VkSurfaceCapabilities2KHR& capabilities) :
    capabilities_(capabilities),
    mode_(mode_of(info)) {
    for_each_node(capabilities.pNext, [&](uint32_t type, VkBaseOutStructure* node) {
        if (answer_unsupported(node, no_extent, no_extent))
            return;
        if (type == VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT) {
            auto& modes = *reinterpret_cast<VkSurfacePresentModeCompatibilityEXT*>(node);
            if (modes.pPresentModes == nullptr)
                modes.presentModeCount = no_count;
            else if (modes.presentModeCount > 0)
                modes.pPresentModes[0] = no_mode;
        }
    });
}

void DriverCapabilities::complete() const {
    const VkSurfaceCapabilitiesKHR& common = capabilities_.surfaceCapabilities;
    for_each_node(capabilities_.pNext, [&](uint32_t type, VkBaseOutStructure* node) {
        if (type == VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT) {
            auto& scaling = *reinterpret_cast<VkSurfacePresentScalingCapabilitiesEXT*>(node);
            if (scaling.minScaledImageExtent.width == no_extent.width &&
                scaling.minScaledImageExtent.height == no_extent.height)
                answer_unsupported(node, common.minImageExtent, common.maxImageExtent);
        }
        if (type == VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT) {
            auto& modes = *reinterpret_cast<VkSurfacePresentModeCompatibilityEXT*>(node);
            const bool unanswered =
                modes.pPresentModes == nullptr
                    ? modes.presentModeCount == no_count
                    : modes.presentModeCount > 0 && modes.pPresentModes[0] == no_mode;
            if (unanswered)
                write_modes(modes, std::array{mode_});
        }
    });
}

} // namespace fencebridge::entry
