// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>
#include <string_view>

#include "info/manifests.hpp"
#include "info/probes.hpp"
#include "info/vulkan.hpp"

namespace fencebridge::info {

namespace {

using Progress = ProbeProgress<LoaderFacts>;

Check find_layer_in(const VulkanLibrary& library) {
    const auto layers = library.layers();
    const auto found = std::ranges::find_if(layers, [](const VkLayerProperties& layer) {
        return std::string_view(layer.layerName) == layer_name;
    });
    if (found == layers.end())
        return {State::absent, "the loader lists no " + std::string(layer_name)};
    return {State::yes, "Vulkan " + version_name(found->specVersion)};
}

std::string name_of_device(const Instance& instance, VkPhysicalDevice device) {
    VkPhysicalDeviceProperties properties = {};
    instance.function<PFN_vkGetPhysicalDeviceProperties>("vkGetPhysicalDeviceProperties")(
        device, &properties);
    return properties.deviceName;
}

void enumerate_devices(Progress& progress, const VulkanLibrary& library) {
    progress.begin("vkCreateInstance");
    const auto instance = Instance::create(library, {}, {});
    if (!instance)
        return progress.fail(name_of(instance.error()));
    progress.begin("vkEnumeratePhysicalDevices");
    const auto devices = instance->physical_devices();
    if (!devices)
        return progress.fail(name_of(devices.error()));
    for (const VkPhysicalDevice device : *devices)
        progress.facts.devices.push_back(name_of_device(*instance, device));
    progress.begin("vkDestroyInstance");
}

} // namespace

void probe_loader(Progress& progress) {
    const Manifests layer = find_layer();
    progress.facts.layer_manifests = layer.found;
    progress.facts.layer_folders = layer.places;
    const Manifests drivers = find_drivers();
    progress.facts.drivers = drivers.found;
    progress.facts.driver_folders = drivers.places;

    progress.begin("dlopen of libvulkan.so.1");
    const auto library = VulkanLibrary::open();
    if (!library) {
        progress.facts.library = {State::absent, library.error()};
        return;
    }
    progress.facts.library = {State::yes};
    progress.begin("vkEnumerateInstanceVersion");
    progress.facts.version = version_name(library->version());
    progress.begin("vkEnumerateInstanceLayerProperties");
    progress.facts.layer = find_layer_in(*library);
    enumerate_devices(progress, *library);
}

} // namespace fencebridge::info
