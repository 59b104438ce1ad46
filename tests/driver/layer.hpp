// SPDX-License-Identifier: MIT
// What tests of the layer ask about it.
#pragma once

#include <array>
#include <string>

#include "application.hpp"

namespace fencebridge::test {

inline constexpr const char* layer_name = "VK_LAYER_FENCEBRIDGE_wsi";

/// What the layer needs of a driver at any version of Vulkan.
inline constexpr std::array required_device_extensions{
    "VK_KHR_external_memory_fd",        "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier", "VK_KHR_external_semaphore_fd",
    "VK_KHR_external_fence_fd",
};

/// Whether the device's function is the layer's: found by the library it lies in.
[[nodiscard]] bool is_from_layer(const Device& device, const char* function);

/// vkCreateDevice on the first physical device as a layer above calls it, which need not care for
/// what the loader would refuse. The layer must not get as far as a call down.
[[nodiscard]] VkResult create_device_from_above(VkInstance instance,
                                                const std::vector<const char*>& extensions);

/// Whether the device's swapchains are the layer's.
[[nodiscard]] inline bool is_taken_over(const Device& device) {
    return is_from_layer(device, "vkCreateSwapchainKHR");
}

} // namespace fencebridge::test
