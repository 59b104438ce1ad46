// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vulkan/vulkan.h>

// Extensions that the layer provides, and that the headers of this build may lack. Declared as in
// vk.xml, with the names of vulkan_core.h.

#ifndef VK_KHR_present_id2
#define VK_KHR_PRESENT_ID_2_EXTENSION_NAME "VK_KHR_present_id2"
#define VK_KHR_PRESENT_ID_2_SPEC_VERSION 1
inline constexpr auto VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_ID_2_KHR =
    static_cast<VkStructureType>(1000479000);
inline constexpr auto VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR = static_cast<VkStructureType>(1000479001);
inline constexpr auto VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_2_FEATURES_KHR =
    static_cast<VkStructureType>(1000479002);
inline constexpr auto VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR =
    static_cast<VkSwapchainCreateFlagBitsKHR>(0x40);
struct VkSurfaceCapabilitiesPresentId2KHR {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentId2Supported;
};
struct VkPresentId2KHR {
    VkStructureType sType;
    const void* pNext;
    uint32_t swapchainCount;
    const uint64_t* pPresentIds;
};
struct VkPhysicalDevicePresentId2FeaturesKHR {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentId2;
};
#endif

#ifndef VK_KHR_present_wait2
#define VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME "VK_KHR_present_wait2"
#define VK_KHR_PRESENT_WAIT_2_SPEC_VERSION 1
inline constexpr auto VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_WAIT_2_KHR =
    static_cast<VkStructureType>(1000480000);
inline constexpr auto VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_2_FEATURES_KHR =
    static_cast<VkStructureType>(1000480001);
inline constexpr auto VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR =
    static_cast<VkStructureType>(1000480002);
inline constexpr auto VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR =
    static_cast<VkSwapchainCreateFlagBitsKHR>(0x80);
struct VkSurfaceCapabilitiesPresentWait2KHR {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentWait2Supported;
};
struct VkPhysicalDevicePresentWait2FeaturesKHR {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentWait2;
};
struct VkPresentWait2InfoKHR {
    VkStructureType sType;
    const void* pNext;
    uint64_t presentId;
    uint64_t timeout;
};
using PFN_vkWaitForPresent2KHR = VkResult(VKAPI_PTR*)(VkDevice, VkSwapchainKHR,
                                                      const VkPresentWait2InfoKHR*);
#endif
