// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "entry/entry_points.hpp"
#include "entry/extensions.hpp"
#include "entry/guard.hpp"
#include "entry/registry.hpp"
#include "vk/enumerate.hpp"

// Queries of a device's extensions and features. Hidden extensions are left out, provided ones are
// added.

namespace fencebridge::entry {

namespace {

constexpr const char* layer_name = "VK_LAYER_FENCEBRIDGE_wsi";

/// The driver's extensions as an application may use them with the layer's swapchains.
std::vector<VkExtensionProperties> offered_extensions(Instance& instance, VkPhysicalDevice device) {
    auto driver = instance.physical(device)->extensions;
    std::erase_if(driver, [](const VkExtensionProperties& extension) {
        return is_hidden(extension.extensionName);
    });
    for (const VkExtensionProperties& ours : provided_device_extensions()) {
        if (!instance.offers(*find_extension(ours.extensionName), device))
            continue;
        const auto same = std::ranges::find_if(driver, [&](const VkExtensionProperties& extension) {
            return std::strcmp(extension.extensionName, ours.extensionName) == 0;
        });
        if (same == driver.end())
            driver.push_back(ours);
        else
            *same = ours;
    }
    return driver;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
EnumerateDeviceExtensionProperties(VkPhysicalDevice handle, const char* layer, uint32_t* count,
                                   VkExtensionProperties* properties) {
    return guarded([&] {
        if (layer != nullptr && std::strcmp(layer, layer_name) == 0) {
            const auto provided = provided_device_extensions();
            return vk::write_array(std::span(provided), count, properties);
        }
        const auto instance = find_instance(handle);
        if (!instance)
            return VK_ERROR_INITIALIZATION_FAILED;
        if (layer == nullptr && instance->hides_extensions(handle)) {
            const auto offered = offered_extensions(*instance, handle);
            return vk::write_array(std::span<const VkExtensionProperties>(offered), count,
                                   properties);
        }
        // Without the extensions of the layer's own manifest, which the layer does not provide
        // here.
        const auto physical = layer == nullptr ? instance->physical(handle) : nullptr;
        if (physical && physical->extensions_known)
            return vk::write_array(std::span<const VkExtensionProperties>(physical->extensions),
                                   count, properties);
        return instance->next.EnumerateDeviceExtensionProperties(handle, layer, count, properties);
    });
}

VKAPI_ATTR void VKAPI_CALL GetPhysicalDeviceFeatures2(VkPhysicalDevice handle,
                                                      VkPhysicalDeviceFeatures2* features) {
    guarded_void([&] {
        const auto instance = find_instance(handle);
        if (!instance)
            return;
        instance->next.GetPhysicalDeviceFeatures2(handle, features);
        if (!instance->hides_extensions(handle))
            return;
        clear_hidden_answers(features->pNext);
        // What the driver has answered is about its own swapchains. It stays if those may be used.
        set_provided_answers(features->pNext, VK_TRUE, [&](const Extension& extension) {
            return instance->offers(extension, handle) &&
                   instance->is_layers_alone(extension, handle);
        });
    });
}

} // namespace fencebridge::entry
