// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vulkan/vulkan.h>

// VK_KHR_calibrated_timestamps and VK_EXT_present_timing, as vk.xml declares them, for a build
// whose headers lack them. The names are the official ones, so that code does not depend on the
// headers.

#ifndef VK_KHR_calibrated_timestamps

inline constexpr uint32_t VK_KHR_CALIBRATED_TIMESTAMPS_SPEC_VERSION = 1;
#define VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME "VK_KHR_calibrated_timestamps"

// The promoted types are the same as those of VK_EXT_calibrated_timestamps.
using VkTimeDomainKHR = VkTimeDomainEXT;
using VkCalibratedTimestampInfoKHR = VkCalibratedTimestampInfoEXT;
inline constexpr VkTimeDomainKHR VK_TIME_DOMAIN_DEVICE_KHR = VK_TIME_DOMAIN_DEVICE_EXT;
inline constexpr VkTimeDomainKHR VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR =
    VK_TIME_DOMAIN_CLOCK_MONOTONIC_EXT;
inline constexpr VkTimeDomainKHR VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR =
    VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_EXT;
inline constexpr VkStructureType VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR =
    VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_EXT;

using PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR =
    PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsEXT;
using PFN_vkGetCalibratedTimestampsKHR = PFN_vkGetCalibratedTimestampsEXT;

#endif

#ifndef VK_EXT_present_timing

inline constexpr uint32_t VK_EXT_PRESENT_TIMING_SPEC_VERSION = 3;
#define VK_EXT_PRESENT_TIMING_EXTENSION_NAME "VK_EXT_present_timing"

inline constexpr auto VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_TIMING_FEATURES_EXT =
    static_cast<VkStructureType>(1000208000);
inline constexpr auto VK_STRUCTURE_TYPE_SWAPCHAIN_TIMING_PROPERTIES_EXT =
    static_cast<VkStructureType>(1000208001);
inline constexpr auto VK_STRUCTURE_TYPE_SWAPCHAIN_TIME_DOMAIN_PROPERTIES_EXT =
    static_cast<VkStructureType>(1000208002);
inline constexpr auto VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT =
    static_cast<VkStructureType>(1000208003);
inline constexpr auto VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT =
    static_cast<VkStructureType>(1000208004);
inline constexpr auto VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT =
    static_cast<VkStructureType>(1000208005);
inline constexpr auto VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT =
    static_cast<VkStructureType>(1000208006);
inline constexpr auto VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT =
    static_cast<VkStructureType>(1000208007);
inline constexpr auto VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT =
    static_cast<VkStructureType>(1000208008);
inline constexpr auto VK_STRUCTURE_TYPE_SWAPCHAIN_CALIBRATED_TIMESTAMP_INFO_EXT =
    static_cast<VkStructureType>(1000208009);
inline constexpr auto VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT =
    static_cast<VkTimeDomainKHR>(1000208000);
inline constexpr auto VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT = static_cast<VkTimeDomainKHR>(1000208001);
inline constexpr auto VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT = static_cast<VkResult>(-1000208000);
inline constexpr auto VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT =
    static_cast<VkSwapchainCreateFlagBitsKHR>(0x200);

enum VkPresentStageFlagBitsEXT {
    VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT = 0x1,
    VK_PRESENT_STAGE_REQUEST_DEQUEUED_BIT_EXT = 0x2,
    VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT = 0x4,
    VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT = 0x8,
    VK_PRESENT_STAGE_FLAG_BITS_MAX_ENUM_EXT = 0x7fffffff,
};
using VkPresentStageFlagsEXT = VkFlags;

enum VkPastPresentationTimingFlagBitsEXT {
    VK_PAST_PRESENTATION_TIMING_ALLOW_PARTIAL_RESULTS_BIT_EXT = 0x1,
    VK_PAST_PRESENTATION_TIMING_ALLOW_OUT_OF_ORDER_RESULTS_BIT_EXT = 0x2,
    VK_PAST_PRESENTATION_TIMING_FLAG_BITS_MAX_ENUM_EXT = 0x7fffffff,
};
using VkPastPresentationTimingFlagsEXT = VkFlags;

enum VkPresentTimingInfoFlagBitsEXT {
    VK_PRESENT_TIMING_INFO_PRESENT_AT_RELATIVE_TIME_BIT_EXT = 0x1,
    VK_PRESENT_TIMING_INFO_PRESENT_AT_NEAREST_REFRESH_CYCLE_BIT_EXT = 0x2,
    VK_PRESENT_TIMING_INFO_FLAG_BITS_MAX_ENUM_EXT = 0x7fffffff,
};
using VkPresentTimingInfoFlagsEXT = VkFlags;

struct VkPhysicalDevicePresentTimingFeaturesEXT {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentTiming;
    VkBool32 presentAtAbsoluteTime;
    VkBool32 presentAtRelativeTime;
};

struct VkPresentTimingSurfaceCapabilitiesEXT {
    VkStructureType sType;
    void* pNext;
    VkBool32 presentTimingSupported;
    VkBool32 presentAtAbsoluteTimeSupported;
    VkBool32 presentAtRelativeTimeSupported;
    VkPresentStageFlagsEXT presentStageQueries;
};

struct VkSwapchainCalibratedTimestampInfoEXT {
    VkStructureType sType;
    const void* pNext;
    VkSwapchainKHR swapchain;
    VkPresentStageFlagsEXT presentStage;
    uint64_t timeDomainId;
};

struct VkSwapchainTimingPropertiesEXT {
    VkStructureType sType;
    void* pNext;
    uint64_t refreshDuration;
    uint64_t refreshInterval;
};

struct VkSwapchainTimeDomainPropertiesEXT {
    VkStructureType sType;
    void* pNext;
    uint32_t timeDomainCount;
    VkTimeDomainKHR* pTimeDomains;
    uint64_t* pTimeDomainIds;
};

struct VkPastPresentationTimingInfoEXT {
    VkStructureType sType;
    const void* pNext;
    VkPastPresentationTimingFlagsEXT flags;
    VkSwapchainKHR swapchain;
};

struct VkPresentStageTimeEXT {
    VkPresentStageFlagsEXT stage;
    uint64_t time;
};

struct VkPastPresentationTimingEXT {
    VkStructureType sType;
    void* pNext;
    uint64_t presentId;
    uint64_t targetTime;
    uint32_t presentStageCount;
    VkPresentStageTimeEXT* pPresentStages;
    VkTimeDomainKHR timeDomain;
    uint64_t timeDomainId;
    VkBool32 reportComplete;
};

struct VkPastPresentationTimingPropertiesEXT {
    VkStructureType sType;
    void* pNext;
    uint64_t timingPropertiesCounter;
    uint64_t timeDomainsCounter;
    uint32_t presentationTimingCount;
    VkPastPresentationTimingEXT* pPresentationTimings;
};

struct VkPresentTimingInfoEXT {
    VkStructureType sType;
    const void* pNext;
    VkPresentTimingInfoFlagsEXT flags;
    uint64_t targetTime;
    uint64_t timeDomainId;
    VkPresentStageFlagsEXT presentStageQueries;
    VkPresentStageFlagsEXT targetTimeDomainPresentStage;
};

struct VkPresentTimingsInfoEXT {
    VkStructureType sType;
    const void* pNext;
    uint32_t swapchainCount;
    const VkPresentTimingInfoEXT* pTimingInfos;
};

using PFN_vkSetSwapchainPresentTimingQueueSizeEXT = VkResult(VKAPI_PTR*)(VkDevice, VkSwapchainKHR,
                                                                         uint32_t);
using PFN_vkGetSwapchainTimingPropertiesEXT = VkResult(VKAPI_PTR*)(VkDevice, VkSwapchainKHR,
                                                                   VkSwapchainTimingPropertiesEXT*,
                                                                   uint64_t*);
using PFN_vkGetSwapchainTimeDomainPropertiesEXT =
    VkResult(VKAPI_PTR*)(VkDevice, VkSwapchainKHR, VkSwapchainTimeDomainPropertiesEXT*, uint64_t*);
using PFN_vkGetPastPresentationTimingEXT = VkResult(VKAPI_PTR*)(
    VkDevice, const VkPastPresentationTimingInfoEXT*, VkPastPresentationTimingPropertiesEXT*);

#endif
