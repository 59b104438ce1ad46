// SPDX-License-Identifier: MIT
// What tests need to know about the layer.
#pragma once

#include <array>
#include <string>

#include <vulkan/vk_layer.h>

#include "application.hpp"

namespace fencebridge::test {

inline constexpr const char* layer_name = "VK_LAYER_FENCEBRIDGE_wsi";

/// The extensions that the layer enables on the fake driver with its default settings, whatever the
/// version of Vulkan.
inline constexpr std::array added_device_extensions{
    "VK_KHR_external_memory_fd",        "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier", "VK_KHR_external_semaphore_fd",
    "VK_KHR_external_fence_fd",
};

/// The layer's library, used without the loader.
class LayerLibrary {
public:
    LayerLibrary();
    ~LayerLibrary();
    LayerLibrary(const LayerLibrary&) = delete;
    LayerLibrary& operator=(const LayerLibrary&) = delete;

    /// Negotiates as a loader with this interface version does.
    VkResult negotiate(uint32_t version = CURRENT_LOADER_LAYER_INTERFACE_VERSION);
    /// What the layer answered in negotiate().
    [[nodiscard]] const VkNegotiateLayerInterface& interface() const { return interface_; }

    /// A function of the layer after negotiate().
    template <class Function>
    [[nodiscard]] Function function(VkInstance instance, const char* name) const {
        return reinterpret_cast<Function>(interface_.pfnGetInstanceProcAddr(instance, name));
    }

private:
    void* library_;
    VkNegotiateLayerInterface interface_{};
};

/// Whether the device's function is in the layer's library.
[[nodiscard]] bool is_from_layer(const Device& device, const char* function);

/// Calls the layer's vkCreateDevice on the first physical device, as a layer above it could, with
/// extensions that the loader would refuse. The layer must return before it calls the next layer.
[[nodiscard]] VkResult create_device_from_above(VkInstance instance,
                                                const std::vector<const char*>& extensions);

/// Expects that VK_KHR_swapchain is listed once, that a device with it is taken over, and that the
/// driver does not receive the extension.
void expect_that_only_the_layer_has_swapchains(const Instance& instance);

/// Whether the layer has taken the device over.
[[nodiscard]] inline bool is_taken_over(const Device& device) {
    return is_from_layer(device, "vkAcquireNextImageKHR");
}

} // namespace fencebridge::test
