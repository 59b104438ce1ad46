// SPDX-License-Identifier: MIT
#include "entry/extensions.hpp"

#include <algorithm>

namespace fencebridge::entry {

namespace {

constexpr std::array<std::string_view, 8> provided_commands = {
    "vkCreateSwapchainKHR",
    "vkDestroySwapchainKHR",
    "vkGetSwapchainImagesKHR",
    "vkAcquireNextImageKHR",
    "vkAcquireNextImage2KHR",
    "vkQueuePresentKHR",
    "vkGetDeviceGroupPresentCapabilitiesKHR",
    "vkGetDeviceGroupSurfacePresentModesKHR",
};

constexpr std::array hidden = {
    HiddenExtension{
        "VK_AMD_display_native_hdr",
        {"vkSetLocalDimmingAMD"},
        {{{1000213000, "VkDisplayNativeHdrSurfaceCapabilitiesAMD", 1}}},
    },
    HiddenExtension{
        "VK_EXT_display_control",
        {"vkDisplayPowerControlEXT", "vkRegisterDeviceEventEXT", "vkRegisterDisplayEventEXT",
         "vkGetSwapchainCounterEXT"},
    },
    HiddenExtension{
        "VK_EXT_full_screen_exclusive",
        {"vkGetPhysicalDeviceSurfacePresentModes2EXT", "vkAcquireFullScreenExclusiveModeEXT",
         "vkReleaseFullScreenExclusiveModeEXT", "vkGetDeviceGroupSurfacePresentModes2EXT"},
        {{{1000255002, "VkSurfaceCapabilitiesFullScreenExclusiveEXT", 1}}},
    },
    HiddenExtension{"VK_EXT_hdr_metadata", {"vkSetHdrMetadataEXT"}},
    HiddenExtension{
        "VK_EXT_image_compression_control_swapchain",
        {},
        {{{1000437000, "VkPhysicalDeviceImageCompressionControlSwapchainFeaturesEXT", 1},
          // Of VK_EXT_image_compression_control, but VkSurfaceFormat2KHR may have it only where
          // this extension is enabled.
          {1000338004, "VkImageCompressionPropertiesEXT", 2}}},
    },
    HiddenExtension{
        "VK_EXT_multisampled_render_to_swapchain",
        {},
        {{{1000616000, "VkPhysicalDeviceMultisampledRenderToSwapchainFeaturesEXT", 1},
          {1000616001, "VkSwapchainFlagsSurfaceCapabilitiesEXT", 1}}},
    },
    HiddenExtension{
        "VK_EXT_present_mode_fifo_latest_ready",
        {},
        {{{1000361000, "VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR", 1}}},
        {1000361000},
    },
    HiddenExtension{
        "VK_EXT_present_timing",
        {"vkSetSwapchainPresentTimingQueueSizeEXT", "vkGetSwapchainTimingPropertiesEXT",
         "vkGetSwapchainTimeDomainPropertiesEXT", "vkGetPastPresentationTimingEXT"},
        {{{1000208000, "VkPhysicalDevicePresentTimingFeaturesEXT", 3},
          {1000208008, "VkPresentTimingSurfaceCapabilitiesEXT", 4}}},
    },
    HiddenExtension{
        "VK_EXT_swapchain_maintenance1",
        {"vkReleaseSwapchainImagesEXT"},
        {{{1000275000, "VkPhysicalDeviceSwapchainMaintenance1FeaturesKHR", 1}}},
    },
    HiddenExtension{
        "VK_GOOGLE_display_timing",
        {"vkGetRefreshCycleDurationGOOGLE", "vkGetPastPresentationTimingGOOGLE"},
    },
    HiddenExtension{
        "VK_HUAWEI_hdr_vivid",
        {},
        {{{1000590000, "VkPhysicalDeviceHdrVividFeaturesHUAWEI", 1}}},
    },
    HiddenExtension{"VK_KHR_display_swapchain", {"vkCreateSharedSwapchainsKHR"}},
    HiddenExtension{
        "VK_KHR_present_id",
        {},
        {{{1000294001, "VkPhysicalDevicePresentIdFeaturesKHR", 1}}},
    },
    HiddenExtension{
        "VK_KHR_present_id2",
        {},
        {{{1000479002, "VkPhysicalDevicePresentId2FeaturesKHR", 1},
          {1000479000, "VkSurfaceCapabilitiesPresentId2KHR", 1}}},
    },
    HiddenExtension{
        "VK_KHR_present_mode_fifo_latest_ready",
        {},
        {{{1000361000, "VkPhysicalDevicePresentModeFifoLatestReadyFeaturesKHR", 1}}},
        {1000361000},
    },
    HiddenExtension{
        "VK_KHR_present_wait",
        {"vkWaitForPresentKHR"},
        {{{1000248000, "VkPhysicalDevicePresentWaitFeaturesKHR", 1}}},
    },
    HiddenExtension{
        "VK_KHR_present_wait2",
        {"vkWaitForPresent2KHR"},
        {{{1000480001, "VkPhysicalDevicePresentWait2FeaturesKHR", 1},
          {1000480000, "VkSurfaceCapabilitiesPresentWait2KHR", 1}}},
    },
    HiddenExtension{
        "VK_KHR_shared_presentable_image",
        {"vkGetSwapchainStatusKHR"},
        {{{1000111000, "VkSharedPresentSurfaceCapabilitiesKHR", 1},
          // Of VK_KHR_extended_flags: the same flags in 64 bits.
          {1000668006, "VkSharedPresentSurfaceCapabilities2KHR", 2}}},
        {VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR, VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR},
    },
    HiddenExtension{
        "VK_KHR_swapchain_maintenance1",
        {"vkReleaseSwapchainImagesKHR"},
        {{{1000275000, "VkPhysicalDeviceSwapchainMaintenance1FeaturesKHR", 1}}},
    },
    HiddenExtension{
        "VK_NV_low_latency2",
        {"vkSetLatencySleepModeNV", "vkLatencySleepNV", "vkSetLatencyMarkerNV",
         "vkGetLatencyTimingsNV", "vkQueueNotifyOutOfBandNV"},
        // Its first word is the number of present modes that it lists.
        {{{1000505008, "VkLatencySurfaceCapabilitiesNV", 1}}},
    },
    HiddenExtension{
        "VK_NV_present_barrier",
        {},
        {{{1000292000, "VkPhysicalDevicePresentBarrierFeaturesNV", 1},
          {1000292001, "VkSurfaceCapabilitiesPresentBarrierNV", 1}}},
    },
    HiddenExtension{
        "VK_NV_present_metering",
        {},
        {{{1000613001, "VkPhysicalDevicePresentMeteringFeaturesNV", 1}}},
    },
};

const AnswerStructure* find_structure(VkStructureType type) {
    for (const HiddenExtension& extension : hidden) {
        for (const AnswerStructure& structure : extension.structures) {
            if (structure.type != 0 && structure.type == static_cast<uint32_t>(type))
                return &structure;
        }
    }
    return nullptr;
}

} // namespace

bool is_provided_command(std::string_view name) {
    return std::ranges::find(provided_commands, name) != provided_commands.end();
}

std::span<const HiddenExtension> hidden_extensions() { return hidden; }

const HiddenExtension* find_hidden_extension(std::string_view name) {
    const auto* const found = std::ranges::find(hidden, name, &HiddenExtension::name);
    return found == hidden.end() ? nullptr : found;
}

bool is_hidden_command(std::string_view name) {
    return std::ranges::any_of(hidden, [&](const HiddenExtension& extension) {
        return std::ranges::find(extension.commands, name) != extension.commands.end();
    });
}

bool is_hidden_present_mode(VkPresentModeKHR mode) {
    // 0 is VK_PRESENT_MODE_IMMEDIATE_KHR, and no extension's.
    return mode != 0 && std::ranges::any_of(hidden, [&](const HiddenExtension& extension) {
               return std::ranges::find(extension.present_modes, static_cast<uint32_t>(mode)) !=
                      extension.present_modes.end();
           });
}

void clear_hidden_answers(void* chain) {
    for (auto* node = static_cast<VkBaseOutStructure*>(chain); node != nullptr;
         node = node->pNext) {
        if (const AnswerStructure* structure = find_structure(node->sType))
            std::fill_n(reinterpret_cast<uint32_t*>(node + 1), structure->words, 0u);
    }
}

std::string_view find_hidden_feature(const void* chain) {
    for (const auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        const AnswerStructure* structure = find_structure(node->sType);
        if (structure == nullptr)
            continue;
        const std::span words(reinterpret_cast<const uint32_t*>(node + 1), structure->words);
        if (std::ranges::any_of(words, [](uint32_t word) { return word != 0; }))
            return structure->name;
    }
    return {};
}

} // namespace fencebridge::entry
