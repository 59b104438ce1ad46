// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vulkan/vulkan.h>

#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

namespace fencebridge::vk {

/// The VkStructureType of each structure that find() looks for.
template <class T>
inline constexpr VkStructureType structure_type = VK_STRUCTURE_TYPE_MAX_ENUM;

#ifdef FENCEBRIDGE_HAVE_LAYER_SETTINGS
template <>
inline constexpr VkStructureType structure_type<VkLayerSettingsCreateInfoEXT> =
    VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT;
#endif
template <>
inline constexpr VkStructureType structure_type<VkDebugUtilsMessengerCreateInfoEXT> =
    VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkDeviceGroupDeviceCreateInfo> =
    VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO;
template <>
inline constexpr VkStructureType structure_type<VkExportSemaphoreCreateInfo> =
    VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO;
template <>
inline constexpr VkStructureType structure_type<VkSemaphoreTypeCreateInfo> =
    VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
template <>
inline constexpr VkStructureType structure_type<VkImageFormatListCreateInfo> =
    VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO;
template <>
inline constexpr VkStructureType structure_type<VkImageSwapchainCreateInfoKHR> =
    VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR;
template <>
inline constexpr VkStructureType structure_type<VkBindImageMemorySwapchainInfoKHR> =
    VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR;
template <>
inline constexpr VkStructureType structure_type<VkPresentRegionsKHR> =
    VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR;
template <>
inline constexpr VkStructureType structure_type<VkPresentIdKHR> = VK_STRUCTURE_TYPE_PRESENT_ID_KHR;
template <>
inline constexpr VkStructureType structure_type<VkPresentId2KHR> =
    VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR;
template <>
inline constexpr VkStructureType structure_type<VkDeviceGroupPresentInfoKHR> =
    VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR;
template <>
inline constexpr VkStructureType structure_type<VkSwapchainPresentFenceInfoEXT> =
    VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkSwapchainPresentModeInfoEXT> =
    VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkSwapchainPresentModesCreateInfoEXT> =
    VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkSwapchainPresentScalingCreateInfoEXT> =
    VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_SCALING_CREATE_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkPresentTimingsInfoEXT> =
    VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkPresentTimesInfoGOOGLE> =
    VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE;
template <>
inline constexpr VkStructureType structure_type<VkSwapchainCalibratedTimestampInfoEXT> =
    VK_STRUCTURE_TYPE_SWAPCHAIN_CALIBRATED_TIMESTAMP_INFO_EXT;
template <>
inline constexpr VkStructureType structure_type<VkSurfacePresentModeEXT> =
    VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT;
/// VkImageUsageFlags2CreateInfoKHR of VK_KHR_extended_flags. Declared here, since the headers of
/// this build may lack it.
struct ImageUsageFlags2 {
    VkStructureType sType;
    const void* pNext;
    uint64_t usage; ///< replaces the 32-bit usage of the structure that this one extends
};
template <>
inline constexpr VkStructureType
    structure_type<ImageUsageFlags2> = static_cast<VkStructureType>(1000668002);
/// VkSharedPresentSurfaceCapabilities2KHR of the same extension.
struct SharedPresentSurfaceCapabilities2 {
    VkStructureType sType;
    void* pNext;
    uint64_t usage;
};
template <>
inline constexpr VkStructureType
    structure_type<SharedPresentSurfaceCapabilities2> = static_cast<VkStructureType>(1000668006);
#ifdef FENCEBRIDGE_HAVE_BIND_MEMORY_STATUS
template <>
inline constexpr VkStructureType structure_type<VkBindMemoryStatusKHR> =
    VK_STRUCTURE_TYPE_BIND_MEMORY_STATUS_KHR;
#endif

/// The first structure of type T in a chain of input structures, or null.
template <class T>
const T* find(const void* chain) {
    static_assert(structure_type<T> != VK_STRUCTURE_TYPE_MAX_ENUM);
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (node->sType == structure_type<T>)
            return reinterpret_cast<const T*>(node);
    }
    return nullptr;
}

/// Puts `node` at the front of the pNext chain of `root`. Both must outlive the use of the chain.
template <class Root, class Node>
void push_next(Root& root, Node& node) {
    node.pNext = const_cast<decltype(node.pNext)>(root.pNext);
    root.pNext = &node;
}

} // namespace fencebridge::vk
