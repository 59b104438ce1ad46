// SPDX-License-Identifier: MIT
#include "entry/extensions.hpp"

#include <algorithm>
#include <span>

#include "entry/entry_points.hpp"
#include "entry/platforms.hpp"

namespace fencebridge::entry {

namespace {

// The versions that the layer implements; the macros of older headers are lower.
constexpr uint32_t swapchain_color_space_version = 5;
constexpr uint32_t hdr_metadata_version = 3;

constexpr const char* khr_swapchain_maintenance1 = "VK_KHR_swapchain_maintenance1";
constexpr AnswerStructure swapchain_maintenance1_features = {
    1000275000, "VkPhysicalDeviceSwapchainMaintenance1FeaturesKHR", 1};

/// Whether images can be presented at a time: presentAtAbsoluteTime and presentAtRelativeTime.
#ifdef FENCEBRIDGE_HAVE_COMMIT_TIMING_V1
constexpr bool has_commit_timing = true;
#else
constexpr bool has_commit_timing = false;
#endif

/// A device extension that acts on swapchains or surfaces and that the layer does not implement. A
/// driver's implementation would receive handles of the layer's swapchains.
Extension hidden(std::string_view name, const std::vector<std::string_view>& commands,
                 std::vector<AnswerStructure> structures = {}) {
    Extension extension = {.name = name,
                           .level = Level::device,
                           .status = Status::hidden,
                           .structures = std::move(structures)};
    for (const std::string_view command : commands)
        extension.commands.push_back({command});
    return extension;
}

std::vector<Extension> instance_extensions() {
    std::vector<Extension> all = {
        {"",
         Level::instance,
         Status::intercepted,
         0,
         {instance_command("vkGetInstanceProcAddr", GetInstanceProcAddr),
          instance_command("vkCreateInstance", CreateInstance),
          instance_command("vkDestroyInstance", DestroyInstance),
          instance_command("vkCreateDevice", CreateDevice),
          instance_command("vkEnumerateDeviceExtensionProperties",
                           EnumerateDeviceExtensionProperties),
          instance_command("vkGetPhysicalDeviceFeatures2", GetPhysicalDeviceFeatures2)}},
        {VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
         Level::instance,
         Status::intercepted,
         0,
         {instance_command("vkGetPhysicalDeviceFeatures2KHR", GetPhysicalDeviceFeatures2)}},
        {VK_KHR_SURFACE_EXTENSION_NAME,
         Level::instance,
         Status::provided,
         VK_KHR_SURFACE_SPEC_VERSION,
         {instance_command("vkDestroySurfaceKHR", DestroySurfaceKHR),
          instance_command("vkGetPhysicalDeviceSurfaceSupportKHR",
                           GetPhysicalDeviceSurfaceSupportKHR),
          instance_command("vkGetPhysicalDeviceSurfaceCapabilitiesKHR",
                           GetPhysicalDeviceSurfaceCapabilitiesKHR),
          instance_command("vkGetPhysicalDeviceSurfaceFormatsKHR",
                           GetPhysicalDeviceSurfaceFormatsKHR),
          instance_command("vkGetPhysicalDeviceSurfacePresentModesKHR",
                           GetPhysicalDeviceSurfacePresentModesKHR)}},
        {VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
         Level::instance,
         Status::provided,
         VK_KHR_GET_SURFACE_CAPABILITIES_2_SPEC_VERSION,
         {instance_command("vkGetPhysicalDeviceSurfaceCapabilities2KHR",
                           GetPhysicalDeviceSurfaceCapabilities2KHR),
          instance_command("vkGetPhysicalDeviceSurfaceFormats2KHR",
                           GetPhysicalDeviceSurfaceFormats2KHR)}},
        {VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME,
         Level::instance,
         Status::intercepted,
         0,
         {instance_command("vkGetPhysicalDeviceSurfaceCapabilities2EXT",
                           GetPhysicalDeviceSurfaceCapabilities2EXT)}},
#ifdef VK_KHR_surface_maintenance1 // see json/meson.build
        {VK_KHR_SURFACE_MAINTENANCE_1_EXTENSION_NAME, Level::instance, Status::provided,
         VK_KHR_SURFACE_MAINTENANCE_1_SPEC_VERSION},
#endif
        {VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME, Level::instance, Status::provided,
         VK_EXT_SURFACE_MAINTENANCE_1_SPEC_VERSION},
        {VK_KHR_SURFACE_PROTECTED_CAPABILITIES_EXTENSION_NAME, Level::instance, Status::provided,
         VK_KHR_SURFACE_PROTECTED_CAPABILITIES_SPEC_VERSION},
        {VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME, Level::instance, Status::provided,
         VK_GOOGLE_SURFACELESS_QUERY_SPEC_VERSION},
        {VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME, Level::instance, Status::provided,
         swapchain_color_space_version},
#ifdef FENCEBRIDGE_HAVE_LAYER_SETTINGS
        {VK_EXT_LAYER_SETTINGS_EXTENSION_NAME, Level::instance, Status::provided,
         VK_EXT_LAYER_SETTINGS_SPEC_VERSION},
#endif
        {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
         Level::instance,
         Status::intercepted,
         0,
         {device_command("vkSetDebugUtilsObjectNameEXT", SetDebugUtilsObjectNameEXT),
          device_command("vkSetDebugUtilsObjectTagEXT", SetDebugUtilsObjectTagEXT)}},
    };
    for_each_platform([&]<class Platform>(std::type_identity<Platform>) {
        all.push_back(platform_extension<Platform>());
    });
    return all;
}

std::vector<Extension> device_extensions() {
    return {
        {"",
         Level::device,
         Status::intercepted,
         0,
         {device_command("vkGetDeviceProcAddr", GetDeviceProcAddr),
          device_command("vkDestroyDevice", DestroyDevice),
          device_command("vkCreateSemaphore", CreateSemaphore),
          device_command("vkDestroySemaphore", DestroySemaphore),
          device_command("vkCreateImage", CreateImage),
          device_command("vkGetDeviceImageSubresourceLayout", GetDeviceImageSubresourceLayout),
          device_command("vkBindImageMemory2", BindImageMemory2),
          device_command("vkSetPrivateData", SetPrivateData),
          device_command("vkGetPrivateData", GetPrivateData),
          device_command("vkDestroyPrivateDataSlot", DestroyPrivateDataSlot)}},
        {VK_KHR_BIND_MEMORY_2_EXTENSION_NAME,
         Level::device,
         Status::intercepted,
         0,
         {device_command("vkBindImageMemory2KHR", BindImageMemory2)}},
        {"VK_KHR_maintenance5", // the oldest supported headers lack its macro
         Level::device,
         Status::intercepted,
         0,
         {device_command("vkGetDeviceImageSubresourceLayoutKHR", GetDeviceImageSubresourceLayout)}},
        {VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
         Level::device,
         Status::intercepted,
         0,
         {instance_command("vkGetPhysicalDeviceCalibrateableTimeDomainsEXT",
                           GetPhysicalDeviceCalibrateableTimeDomainsEXT),
          device_command("vkGetCalibratedTimestampsEXT", GetCalibratedTimestampsEXT)}},
        {VK_EXT_DEBUG_MARKER_EXTENSION_NAME,
         Level::device,
         Status::intercepted,
         0,
         {device_command("vkDebugMarkerSetObjectNameEXT", DebugMarkerSetObjectNameEXT),
          device_command("vkDebugMarkerSetObjectTagEXT", DebugMarkerSetObjectTagEXT)}},
        {VK_EXT_PRIVATE_DATA_EXTENSION_NAME,
         Level::device,
         Status::intercepted,
         0,
         {device_command("vkSetPrivateDataEXT", SetPrivateData),
          device_command("vkGetPrivateDataEXT", GetPrivateData),
          device_command("vkDestroyPrivateDataSlotEXT", DestroyPrivateDataSlot)}},
        {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
         Level::device,
         Status::provided,
         VK_KHR_SWAPCHAIN_SPEC_VERSION,
         {device_command("vkCreateSwapchainKHR", CreateSwapchainKHR),
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
        {VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME, Level::device, Status::provided,
         VK_KHR_INCREMENTAL_PRESENT_SPEC_VERSION},
        {.name = VK_KHR_PRESENT_ID_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_PRESENT_ID_SPEC_VERSION,
         .structures = {{1000294001, "VkPhysicalDevicePresentIdFeaturesKHR", 1}}},
        {.name = VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_PRESENT_WAIT_SPEC_VERSION,
         .commands = {device_command("vkWaitForPresentKHR", WaitForPresentKHR)},
         .structures = {{1000248000, "VkPhysicalDevicePresentWaitFeaturesKHR", 1}},
         .reach = Reach::layers_surfaces},
        {.name = VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_PRESENT_ID_2_SPEC_VERSION,
         .structures = {{1000479002, "VkPhysicalDevicePresentId2FeaturesKHR", 1},
                        {1000479000, "VkSurfaceCapabilitiesPresentId2KHR", 1}}},
        {.name = VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_PRESENT_WAIT_2_SPEC_VERSION,
         .commands = {device_command("vkWaitForPresent2KHR", WaitForPresent2KHR)},
         .structures = {{1000480001, "VkPhysicalDevicePresentWait2FeaturesKHR", 1},
                        {1000480000, "VkSurfaceCapabilitiesPresentWait2KHR", 1}}},
        {.name = VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_CALIBRATED_TIMESTAMPS_SPEC_VERSION,
         .commands = {instance_command("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR",
                                       GetPhysicalDeviceCalibrateableTimeDomainsKHR),
                      device_command("vkGetCalibratedTimestampsKHR", GetCalibratedTimestampsKHR)}},
        {.name = VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_EXT_PRESENT_TIMING_SPEC_VERSION,
         .commands = {device_command("vkSetSwapchainPresentTimingQueueSizeEXT",
                                     SetSwapchainPresentTimingQueueSizeEXT),
                      device_command("vkGetSwapchainTimingPropertiesEXT",
                                     GetSwapchainTimingPropertiesEXT),
                      device_command("vkGetSwapchainTimeDomainPropertiesEXT",
                                     GetSwapchainTimeDomainPropertiesEXT),
                      device_command("vkGetPastPresentationTimingEXT",
                                     GetPastPresentationTimingEXT)},
         .structures = {{.type = 1000208000,
                         .name = "VkPhysicalDevicePresentTimingFeaturesEXT",
                         .words = 3,
                         .absent = has_commit_timing ? 0 : 2},
                        {1000208008, "VkPresentTimingSurfaceCapabilitiesEXT", 4, false}}},
        {.name = VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_GOOGLE_DISPLAY_TIMING_SPEC_VERSION,
         .commands = {device_command("vkGetRefreshCycleDurationGOOGLE",
                                     GetRefreshCycleDurationGOOGLE),
                      device_command("vkGetPastPresentationTimingGOOGLE",
                                     GetPastPresentationTimingGOOGLE)},
         .reach = Reach::layers_surfaces},
        {.name = "VK_KHR_present_mode_fifo_latest_ready",
         .level = Level::device,
         .status = Status::provided,
         .spec_version = 1,
         .structures = {{1000361000, "VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR", 1}},
         .other_name = "VK_EXT_present_mode_fifo_latest_ready"},
        {.name = "VK_EXT_present_mode_fifo_latest_ready",
         .level = Level::device,
         .status = Status::provided,
         .spec_version = 1,
         .structures = {{1000361000, "VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR", 1}},
         .other_name = "VK_KHR_present_mode_fifo_latest_ready"},
        {.name = VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_SHARED_PRESENTABLE_IMAGE_SPEC_VERSION,
         .commands = {device_command("vkGetSwapchainStatusKHR", GetSwapchainStatusKHR)},
         .structures = {{1000111000, "VkSharedPresentSurfaceCapabilitiesKHR", 1, false},
                        // Of VK_KHR_extended_flags: the same flags in 64 bits.
                        {1000668006, "VkSharedPresentSurfaceCapabilities2KHR", 2, false}},
         .works_on = &vk::knows_shared_present_layout},
        {.name = VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_SPEC_VERSION,
         .reach = Reach::layers_surfaces},
        {.name = VK_EXT_HDR_METADATA_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = hdr_metadata_version,
         .commands = {device_command("vkSetHdrMetadataEXT", SetHdrMetadataEXT)},
         .reach = Reach::layers_surfaces},
        {.name = VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_EXT_SWAPCHAIN_MAINTENANCE_1_SPEC_VERSION,
         .commands = {device_command("vkReleaseSwapchainImagesEXT", ReleaseSwapchainImages)},
         .structures = {swapchain_maintenance1_features},
         .reach = Reach::layers_surfaces,
         .other_name = khr_swapchain_maintenance1},
#ifdef VK_KHR_surface_maintenance1 // which VK_KHR_swapchain_maintenance1 depends on
        {.name = VK_KHR_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
         .level = Level::device,
         .status = Status::provided,
         .spec_version = VK_KHR_SWAPCHAIN_MAINTENANCE_1_SPEC_VERSION,
         .commands = {device_command("vkReleaseSwapchainImagesKHR", ReleaseSwapchainImages)},
         .structures = {swapchain_maintenance1_features},
         .reach = Reach::layers_surfaces,
         .other_name = VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME},
#endif
    };
}

std::vector<Extension> hidden_extensions() {
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

std::vector<Extension> make_table() {
    std::vector<Extension> all = instance_extensions();
    for (auto* make : {&device_extensions, &hidden_extensions})
        std::ranges::move(make(), std::back_inserter(all));
    return all;
}

/// The structure of that type if it belongs to a hidden extension, or null.
const AnswerStructure* find_hidden_structure(VkStructureType type) {
    const auto [extension, structure] = find_structure(type);
    return extension != nullptr && extension->status == Status::hidden ? structure : nullptr;
}

bool is_same(const VkExtensionProperties& one, const VkExtensionProperties& other) {
    return std::string_view(one.extensionName) == other.extensionName &&
           one.specVersion == other.specVersion;
}

} // namespace

const std::vector<Extension>& extensions() {
    // Never destroyed: an application may use Vulkan from a static destructor of its own.
    static const auto* const table = new std::vector<Extension>(make_table());
    return *table;
}

const Extension* find_extension(std::string_view name) {
    const auto found = std::ranges::find(extensions(), name, &Extension::name);
    return found == extensions().end() ? nullptr : &*found;
}

const Extension* find_provided(std::string_view name, Level level) {
    const Extension* const found = find_extension(name);
    const bool provided =
        found != nullptr && found->status == Status::provided && found->level == level;
    return provided ? found : nullptr;
}

FoundStructure find_structure(VkStructureType type) {
    for (const Extension& extension : extensions()) {
        const auto found = std::ranges::find(extension.structures, static_cast<uint32_t>(type),
                                             &AnswerStructure::type);
        if (found != extension.structures.end())
            return {&extension, &*found};
    }
    return {nullptr, nullptr};
}

EnabledExtensions::EnabledExtensions(Level level, const char* const* names, uint32_t count) {
    for (const char* name : std::span(names, count)) {
        if (const Extension* const provided = find_provided(name, level))
            all_.push_back(provided);
    }
}

FoundCommand find_command(std::string_view name) {
    for (const Extension& extension : extensions()) {
        const auto found = std::ranges::find(extension.commands, name, &Command::name);
        if (found != extension.commands.end())
            return {&extension, &*found};
    }
    return {nullptr, nullptr};
}

std::vector<VkExtensionProperties> provided_device_extensions() {
    std::vector<VkExtensionProperties> provided;
    for (const Extension& extension : extensions()) {
        if (extension.status != Status::provided || extension.level != Level::device)
            continue;
        VkExtensionProperties properties = {.specVersion = extension.spec_version};
        extension.name.copy(properties.extensionName, sizeof properties.extensionName - 1);
        provided.push_back(properties);
    }
    return provided;
}

void remove_appended_extensions(std::vector<VkExtensionProperties>& listed) {
    const auto ours = provided_device_extensions();
    const auto is_listed = [&](const VkExtensionProperties& own) {
        return std::ranges::any_of(listed, [&](const auto& each) {
            return std::string_view(each.extensionName) == own.extensionName;
        });
    };
    // The loader appends what the driver lacks, so that nothing is missing afterwards.
    if (!std::ranges::all_of(ours, is_listed))
        return;
    auto left = std::span(ours);
    while (!listed.empty()) {
        const auto found = std::find_if(left.rbegin(), left.rend(), [&](const auto& own) {
            return is_same(own, listed.back());
        });
        if (found == left.rend())
            return;
        left = left.first(static_cast<size_t>(left.rend() - found) - 1);
        listed.pop_back();
    }
}

void clear_hidden_answers(void* chain) {
    for (auto* node = static_cast<VkBaseOutStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (const AnswerStructure* structure = find_hidden_structure(node->sType))
            std::fill_n(reinterpret_cast<uint32_t*>(node + 1), structure->words, 0u);
    }
}

std::string_view find_hidden_feature(const void* chain) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        const auto [extension, structure] = find_structure(node->sType);
        if (extension == nullptr || extension->status == Status::intercepted)
            continue;
        const std::span words(reinterpret_cast<const uint32_t*>(node + 1), structure->words);
        const bool hidden = extension->status == Status::hidden;
        if (std::ranges::any_of(hidden ? words : words.last(structure->absent),
                                [](uint32_t word) { return word != 0; }))
            return structure->name;
    }
    return {};
}

} // namespace fencebridge::entry
