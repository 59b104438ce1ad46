// SPDX-License-Identifier: MIT
// What tests need to know about the layer.
#pragma once

#include <array>
#include <string>

#include "application.hpp"

namespace fencebridge::test {

inline constexpr const char* layer_name = "VK_LAYER_FENCEBRIDGE_wsi";

/// The extensions that the layer needs of a driver of any version of Vulkan.
inline constexpr std::array required_device_extensions{
    "VK_KHR_external_memory_fd",        "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier", "VK_KHR_external_semaphore_fd",
    "VK_KHR_external_fence_fd",
};

/// Whether the device's function is in the layer's library.
[[nodiscard]] bool is_from_layer(const Device& device, const char* function);

/// Calls the layer's vkCreateDevice on the first physical device, as a layer above it could, with
/// extensions that the loader would refuse. The layer must return before it calls the next layer.
[[nodiscard]] VkResult create_device_from_above(VkInstance instance,
                                                const std::vector<const char*>& extensions);

/// Whether the layer has taken the device over.
[[nodiscard]] inline bool is_taken_over(const Device& device) {
    return is_from_layer(device, "vkCreateSwapchainKHR");
}

} // namespace fencebridge::test
