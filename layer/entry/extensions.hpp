// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <vulkan/vulkan.h>

namespace fencebridge::entry {

/// What the layer itself provides; the manifest says the same.
inline constexpr std::array<VkExtensionProperties, 1> provided_device_extensions = {
    {{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_SWAPCHAIN_SPEC_VERSION}},
};

/// Device extensions whose functions or structures act on a swapchain, and which the layer does not
/// implement. A driver that offers one means its own swapchains; it would be handed one of the
/// layer's, or the application would ask the layer for what it does not do.
inline constexpr std::array<std::string_view, 18> swapchain_extensions = {
    "VK_AMD_display_native_hdr",
    "VK_EXT_display_control",
    "VK_EXT_full_screen_exclusive",
    "VK_EXT_hdr_metadata",
    "VK_EXT_image_compression_control_swapchain",
    "VK_EXT_present_mode_fifo_latest_ready",
    "VK_EXT_present_timing",
    "VK_EXT_swapchain_maintenance1",
    "VK_GOOGLE_display_timing",
    "VK_KHR_present_id",
    "VK_KHR_present_id2",
    "VK_KHR_present_mode_fifo_latest_ready",
    "VK_KHR_present_wait",
    "VK_KHR_present_wait2",
    "VK_KHR_shared_presentable_image",
    "VK_KHR_swapchain_maintenance1",
    "VK_NV_low_latency2",
    "VK_NV_present_barrier",
};

} // namespace fencebridge::entry
