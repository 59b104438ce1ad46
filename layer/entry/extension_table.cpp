// SPDX-License-Identifier: MIT
// The rows of the table of extensions. The order of the provided ones is the manifest's
// (json/manifest.json.in).
#include <iterator>
#include <utility>

#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/platforms.hpp"

namespace fencebridge::entry {

namespace {

// The versions that the layer implements; the macros of older headers are lower.
constexpr uint32_t swapchain_color_space_version = 5;
constexpr uint32_t hdr_metadata_version = 3;

constexpr const char* khr_swapchain_maintenance1 = "VK_KHR_swapchain_maintenance1";
constexpr AnswerStructure swapchain_maintenance1_features = {
    1000275000, "VkPhysicalDeviceSwapchainMaintenance1FeaturesKHR", 1};

#ifdef FENCEBRIDGE_HAVE_FIFO_V1
constexpr const char* khr_fifo_latest_ready = "VK_KHR_present_mode_fifo_latest_ready";
constexpr const char* ext_fifo_latest_ready = "VK_EXT_present_mode_fifo_latest_ready";
constexpr AnswerStructure fifo_latest_ready_features = {
    1000361000, "VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR", 1};
#endif

using Rows = std::vector<Extension>;

Rows intercepted_instance_rows() {
    return {
        {.name = "",
         .commands = {instance_command("vkGetInstanceProcAddr", GetInstanceProcAddr),
                      instance_command("vkCreateInstance", CreateInstance),
                      instance_command("vkDestroyInstance", DestroyInstance),
                      instance_command("vkCreateDevice", CreateDevice),
                      instance_command("vkEnumerateDeviceExtensionProperties",
                                       EnumerateDeviceExtensionProperties),
                      instance_command("vkGetPhysicalDeviceFeatures2",
                                       GetPhysicalDeviceFeatures2)}},
        {.name = VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
         .commands = {instance_command("vkGetPhysicalDeviceFeatures2KHR",
                                       GetPhysicalDeviceFeatures2)}},
        {.name = VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME,
         .commands = {instance_command("vkGetPhysicalDeviceSurfaceCapabilities2EXT",
                                       GetPhysicalDeviceSurfaceCapabilities2EXT)}},
        {.name = VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
         .commands = {instance_command("vkCreateDebugUtilsMessengerEXT",
                                       CreateDebugUtilsMessengerEXT),
                      instance_command("vkDestroyDebugUtilsMessengerEXT",
                                       DestroyDebugUtilsMessengerEXT),
                      device_command("vkSetDebugUtilsObjectNameEXT", SetDebugUtilsObjectNameEXT),
                      device_command("vkSetDebugUtilsObjectTagEXT", SetDebugUtilsObjectTagEXT)}},
    };
}

Rows provided_instance_rows() {
    return {
        {.name = VK_KHR_SURFACE_EXTENSION_NAME,
         .spec_version = VK_KHR_SURFACE_SPEC_VERSION,
         .commands = {instance_command("vkDestroySurfaceKHR", DestroySurfaceKHR),
                      instance_command("vkGetPhysicalDeviceSurfaceSupportKHR",
                                       GetPhysicalDeviceSurfaceSupportKHR),
                      instance_command("vkGetPhysicalDeviceSurfaceCapabilitiesKHR",
                                       GetPhysicalDeviceSurfaceCapabilitiesKHR),
                      instance_command("vkGetPhysicalDeviceSurfaceFormatsKHR",
                                       GetPhysicalDeviceSurfaceFormatsKHR),
                      instance_command("vkGetPhysicalDeviceSurfacePresentModesKHR",
                                       GetPhysicalDeviceSurfacePresentModesKHR)}},
        {.name = VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
         .spec_version = VK_KHR_GET_SURFACE_CAPABILITIES_2_SPEC_VERSION,
         .commands = {instance_command("vkGetPhysicalDeviceSurfaceCapabilities2KHR",
                                       GetPhysicalDeviceSurfaceCapabilities2KHR),
                      instance_command("vkGetPhysicalDeviceSurfaceFormats2KHR",
                                       GetPhysicalDeviceSurfaceFormats2KHR)}},
#ifdef VK_KHR_surface_maintenance1 // see json/meson.build
        {.name = VK_KHR_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
         .spec_version = VK_KHR_SURFACE_MAINTENANCE_1_SPEC_VERSION},
#endif
        {.name = VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
         .spec_version = VK_EXT_SURFACE_MAINTENANCE_1_SPEC_VERSION},
        {.name = VK_KHR_SURFACE_PROTECTED_CAPABILITIES_EXTENSION_NAME,
         .spec_version = VK_KHR_SURFACE_PROTECTED_CAPABILITIES_SPEC_VERSION},
        {.name = VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME,
         .spec_version = VK_GOOGLE_SURFACELESS_QUERY_SPEC_VERSION},
        {.name = VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME,
         .spec_version = swapchain_color_space_version},
#ifdef FENCEBRIDGE_HAVE_LAYER_SETTINGS
        {.name = VK_EXT_LAYER_SETTINGS_EXTENSION_NAME,
         .spec_version = VK_EXT_LAYER_SETTINGS_SPEC_VERSION},
#endif
    };
}

Rows intercepted_device_rows() {
    return {
        {.name = "",
         .commands = {device_command("vkGetDeviceProcAddr", GetDeviceProcAddr),
                      device_command("vkDestroyDevice", DestroyDevice),
                      device_command("vkCreateSemaphore", CreateSemaphore),
                      device_command("vkDestroySemaphore", DestroySemaphore),
                      device_command("vkCreateImage", CreateImage),
                      device_command("vkGetDeviceImageSubresourceLayout",
                                     GetDeviceImageSubresourceLayout),
                      device_command("vkBindImageMemory2", BindImageMemory2),
                      device_command("vkSetPrivateData", SetPrivateData),
                      device_command("vkGetPrivateData", GetPrivateData),
                      device_command("vkDestroyPrivateDataSlot", DestroyPrivateDataSlot)}},
        {.name = "",
         .commands = {device_command("vkQueueSubmit", QueueSubmit),
                      device_command("vkQueueSubmit2", QueueSubmit2),
                      device_command("vkQueueBindSparse", QueueBindSparse),
                      device_command("vkWaitForFences", WaitForFences),
                      device_command("vkGetFenceStatus", GetFenceStatus),
                      device_command("vkResetFences", ResetFences),
                      device_command("vkDestroyFence", DestroyFence)},
         .is_for_kept_signals = true},
        {.name = VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME,
         .commands = {device_command("vkQueueSubmit2KHR", QueueSubmit2)},
         .is_for_kept_signals = true},
        {.name = VK_KHR_BIND_MEMORY_2_EXTENSION_NAME,
         .commands = {device_command("vkBindImageMemory2KHR", BindImageMemory2)}},
        {.name = "VK_KHR_maintenance5", // the oldest supported headers lack its macro
         .commands = {device_command("vkGetDeviceImageSubresourceLayoutKHR",
                                     GetDeviceImageSubresourceLayout)}},
        {.name = VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
         .commands = {instance_command("vkGetPhysicalDeviceCalibrateableTimeDomainsEXT",
                                       GetPhysicalDeviceCalibrateableTimeDomains),
                      device_command("vkGetCalibratedTimestampsEXT", GetCalibratedTimestamps)}},
        {.name = VK_EXT_DEBUG_MARKER_EXTENSION_NAME,
         .commands = {device_command("vkDebugMarkerSetObjectNameEXT", DebugMarkerSetObjectNameEXT),
                      device_command("vkDebugMarkerSetObjectTagEXT", DebugMarkerSetObjectTagEXT)}},
        {.name = VK_EXT_PRIVATE_DATA_EXTENSION_NAME,
         .commands = {device_command("vkSetPrivateDataEXT", SetPrivateData),
                      device_command("vkGetPrivateDataEXT", GetPrivateData),
                      device_command("vkDestroyPrivateDataSlotEXT", DestroyPrivateDataSlot)}},
    };
}

Rows provided_device_rows() {
    return {
        {.name = VK_KHR_SWAPCHAIN_EXTENSION_NAME,
         .spec_version = VK_KHR_SWAPCHAIN_SPEC_VERSION,
         .commands = {device_command("vkCreateSwapchainKHR", CreateSwapchainKHR),
                      device_command("vkDestroySwapchainKHR", DestroySwapchainKHR),
                      device_command("vkGetSwapchainImagesKHR", GetSwapchainImagesKHR),
                      device_command("vkAcquireNextImageKHR", AcquireNextImageKHR),
                      device_command("vkAcquireNextImage2KHR", AcquireNextImage2KHR),
                      device_command("vkQueuePresentKHR", QueuePresentKHR),
                      device_command("vkGetDeviceGroupPresentCapabilitiesKHR",
                                     GetDeviceGroupPresentCapabilitiesKHR),
                      device_command("vkGetDeviceGroupSurfacePresentModesKHR",
                                     GetDeviceGroupSurfacePresentModesKHR),
                      instance_command("vkGetPhysicalDevicePresentRectanglesKHR",
                                       GetPhysicalDevicePresentRectanglesKHR)}},
        {.name = VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME,
         .spec_version = VK_KHR_INCREMENTAL_PRESENT_SPEC_VERSION},
        {.name = VK_KHR_PRESENT_ID_EXTENSION_NAME,
         .spec_version = VK_KHR_PRESENT_ID_SPEC_VERSION,
         .structures = {{1000294001, "VkPhysicalDevicePresentIdFeaturesKHR", 1}}},
        {.name = VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
         .spec_version = VK_KHR_PRESENT_WAIT_SPEC_VERSION,
         .commands = {device_command("vkWaitForPresentKHR", WaitForPresentKHR)},
         .structures = {{1000248000, "VkPhysicalDevicePresentWaitFeaturesKHR", 1}},
         .reach = Reach::layers_surfaces},
        {.name = VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
         .spec_version = VK_KHR_PRESENT_ID_2_SPEC_VERSION,
         .structures = {{1000479002, "VkPhysicalDevicePresentId2FeaturesKHR", 1},
                        {1000479000, "VkSurfaceCapabilitiesPresentId2KHR", 1}}},
        {.name = VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
         .spec_version = VK_KHR_PRESENT_WAIT_2_SPEC_VERSION,
         .commands = {device_command("vkWaitForPresent2KHR", WaitForPresent2KHR)},
         .structures = {{1000480001, "VkPhysicalDevicePresentWait2FeaturesKHR", 1},
                        {1000480000, "VkSurfaceCapabilitiesPresentWait2KHR", 1}}},
        {.name = VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
         .spec_version = VK_KHR_CALIBRATED_TIMESTAMPS_SPEC_VERSION,
         .commands = {instance_command("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR",
                                       GetPhysicalDeviceCalibrateableTimeDomains),
                      device_command("vkGetCalibratedTimestampsKHR", GetCalibratedTimestamps)},
         .reach = Reach::every_device,
         .other_name = VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME},
        {.name = VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
         .spec_version = VK_EXT_PRESENT_TIMING_SPEC_VERSION,
         .commands = {device_command("vkSetSwapchainPresentTimingQueueSizeEXT",
                                     SetSwapchainPresentTimingQueueSizeEXT),
                      device_command("vkGetSwapchainTimingPropertiesEXT",
                                     GetSwapchainTimingPropertiesEXT),
                      device_command("vkGetSwapchainTimeDomainPropertiesEXT",
                                     GetSwapchainTimeDomainPropertiesEXT),
                      device_command("vkGetPastPresentationTimingEXT",
                                     GetPastPresentationTimingEXT)},
         .structures = {{1000208000, "VkPhysicalDevicePresentTimingFeaturesEXT", 3},
                        {1000208008, "VkPresentTimingSurfaceCapabilitiesEXT", 4, false}}},
        {.name = VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME,
         .spec_version = VK_GOOGLE_DISPLAY_TIMING_SPEC_VERSION,
         .commands = {device_command("vkGetRefreshCycleDurationGOOGLE",
                                     GetRefreshCycleDurationGOOGLE),
                      device_command("vkGetPastPresentationTimingGOOGLE",
                                     GetPastPresentationTimingGOOGLE)},
         .reach = Reach::layers_surfaces},
        {.name = VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
         .spec_version = VK_KHR_SHARED_PRESENTABLE_IMAGE_SPEC_VERSION,
         .commands = {device_command("vkGetSwapchainStatusKHR", GetSwapchainStatusKHR)},
         .structures = {{1000111000, "VkSharedPresentSurfaceCapabilitiesKHR", 1, false},
                        // Of VK_KHR_extended_flags: the same flags in 64 bits.
                        {1000668006, "VkSharedPresentSurfaceCapabilities2KHR", 2, false}},
         .works_on = &vk::knows_shared_present_layout},
        {.name = VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME,
         .spec_version = VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_SPEC_VERSION,
         .reach = Reach::layers_surfaces},
        {.name = VK_EXT_HDR_METADATA_EXTENSION_NAME,
         .spec_version = hdr_metadata_version,
         .commands = {device_command("vkSetHdrMetadataEXT", SetHdrMetadataEXT)},
         .reach = Reach::layers_surfaces},
        {.name = VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
         .spec_version = VK_EXT_SWAPCHAIN_MAINTENANCE_1_SPEC_VERSION,
         .commands = {device_command("vkReleaseSwapchainImagesEXT", ReleaseSwapchainImages)},
         .structures = {swapchain_maintenance1_features},
         .reach = Reach::layers_surfaces,
         .other_name = khr_swapchain_maintenance1},
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
        {.name = khr_fifo_latest_ready,
         .spec_version = 1,
         .structures = {fifo_latest_ready_features},
         .other_name = ext_fifo_latest_ready},
        {.name = ext_fifo_latest_ready,
         .spec_version = 1,
         .structures = {fifo_latest_ready_features},
         .other_name = khr_fifo_latest_ready},
#endif
#ifdef VK_KHR_surface_maintenance1 // which VK_KHR_swapchain_maintenance1 depends on
        {.name = VK_KHR_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
         .spec_version = VK_KHR_SWAPCHAIN_MAINTENANCE_1_SPEC_VERSION,
         .commands = {device_command("vkReleaseSwapchainImagesKHR", ReleaseSwapchainImages)},
         .structures = {swapchain_maintenance1_features},
         .reach = Reach::layers_surfaces,
         .other_name = VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME},
#endif
    };
}

/// A device extension that acts on swapchains or surfaces and that the layer does not implement. A
/// driver's implementation would receive handles of the layer's swapchains.
Extension hidden(std::string_view name, const std::vector<std::string_view>& commands,
                 std::vector<AnswerStructure> structures = {}) {
    Extension extension = {.name = name, .structures = std::move(structures)};
    for (const std::string_view command : commands)
        extension.commands.push_back({command});
    return extension;
}

Rows hidden_rows() {
    return {
        hidden("VK_AMD_display_native_hdr", {"vkSetLocalDimmingAMD"},
               {{1000213000, "VkDisplayNativeHdrSurfaceCapabilitiesAMD", 1}}),
        hidden("VK_EXT_display_control", {"vkDisplayPowerControlEXT", "vkRegisterDeviceEventEXT",
                                          "vkRegisterDisplayEventEXT", "vkGetSwapchainCounterEXT"}),
        hidden("VK_EXT_full_screen_exclusive",
               {"vkGetPhysicalDeviceSurfacePresentModes2EXT", "vkAcquireFullScreenExclusiveModeEXT",
                "vkReleaseFullScreenExclusiveModeEXT", "vkGetDeviceGroupSurfacePresentModes2EXT"},
               {{1000255002, "VkSurfaceCapabilitiesFullScreenExclusiveEXT", 1}}),
        hidden("VK_EXT_image_compression_control_swapchain", {},
               {{1000437000, "VkPhysicalDeviceImageCompressionControlSwapchainFeaturesEXT", 1},
                // This structure belongs to VK_EXT_image_compression_control. It may extend
                // VkSurfaceFormat2KHR only with the extension of this row.
                {1000338004, "VkImageCompressionPropertiesEXT", 2}}),
        hidden("VK_EXT_multisampled_render_to_swapchain", {},
               {{1000616000, "VkPhysicalDeviceMultisampledRenderToSwapchainFeaturesEXT", 1},
                {1000616001, "VkSwapchainFlagsSurfaceCapabilitiesEXT", 1}}),
        hidden("VK_HUAWEI_hdr_vivid", {},
               {{1000590000, "VkPhysicalDeviceHdrVividFeaturesHUAWEI", 1}}),
        hidden("VK_KHR_display_swapchain", {"vkCreateSharedSwapchainsKHR"}),
#ifndef VK_KHR_surface_maintenance1
        hidden(khr_swapchain_maintenance1, {"vkReleaseSwapchainImagesKHR"},
               {swapchain_maintenance1_features}),
#endif
        hidden("VK_NV_low_latency2",
               {"vkSetLatencySleepModeNV", "vkLatencySleepNV", "vkSetLatencyMarkerNV",
                "vkGetLatencyTimingsNV", "vkQueueNotifyOutOfBandNV"},
               {// The first word is the number of present modes that the structure lists.
                {1000505008, "VkLatencySurfaceCapabilitiesNV", 1}}),
        hidden("VK_NV_present_barrier", {},
               {{1000292000, "VkPhysicalDevicePresentBarrierFeaturesNV", 1},
                {1000292001, "VkSurfaceCapabilitiesPresentBarrierNV", 1}}),
        hidden("VK_NV_present_metering", {},
               {{1000613001, "VkPhysicalDevicePresentMeteringFeaturesNV", 1}}),
    };
}

Rows make_table() {
    Rows all;
    const auto append = [&](Level level, Status status, Rows rows) {
        for (Extension& row : rows) {
            row.level = level;
            row.status = status;
        }
        std::ranges::move(rows, std::back_inserter(all));
    };
    append(Level::instance, Status::intercepted, intercepted_instance_rows());
    append(Level::instance, Status::provided, provided_instance_rows());
    for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
        all.push_back(platform_extension<Platform>());
    });
    append(Level::device, Status::intercepted, intercepted_device_rows());
    append(Level::device, Status::provided, provided_device_rows());
    append(Level::device, Status::hidden, hidden_rows());
    return all;
}

} // namespace

const std::vector<Extension>& extensions() {
    // Never destroyed: an application may use Vulkan from a static destructor of its own.
    static const auto* const table = new Rows(make_table());
    return *table;
}

} // namespace fencebridge::entry
