// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "chain.hpp"
#include "entry_points.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

VkResult enumerate_instance_version(uint32_t* version) {
    *version = current_settings().instance_version;
    return VK_SUCCESS;
}

VkResult enumerate_instance_extensions(const char*, uint32_t* count,
                                       VkExtensionProperties* properties) {
    if (const auto failure = enter_query("vkEnumerateInstanceExtensionProperties"))
        return *failure;
    const std::vector<std::string> names = current_settings().visible_instance_extensions();
    return enumerate(std::span<const std::string>{names}, count, properties,
                     [](VkExtensionProperties& to, const std::string& from) {
                         to = {};
                         from.copy(to.extensionName, sizeof to.extensionName - 1);
                         to.specVersion = 1;
                     });
}

VkResult enumerate_instance_layers(uint32_t* count, VkLayerProperties*) {
    *count = 0;
    return VK_SUCCESS;
}

/// Determines the result of vkCreateInstance before anything is created.
VkResult check_instance(const VkInstanceCreateInfo& info, uint32_t app_version,
                        const Settings& settings) {
    // A driver of Vulkan 1.0 refuses later versions. The loader changes the version for it.
    if (settings.instance_version == VK_API_VERSION_1_0 && app_version >= VK_API_VERSION_1_1)
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    const std::vector<std::string> known = settings.visible_instance_extensions();
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i) {
        const std::string_view name = info.ppEnabledExtensionNames[i];
        if (settings.instance_failure && settings.instance_failure->extension == name)
            return settings.instance_failure->result;
        if (std::ranges::find(known, name) == known.end())
            return VK_ERROR_EXTENSION_NOT_PRESENT;
    }
    return VK_SUCCESS;
}

std::unique_ptr<Instance> make_instance(const VkInstanceCreateInfo& info, uint32_t app_version,
                                        const Settings& settings) {
    auto instance = std::make_unique<Instance>();
    set_loader_magic_value(instance.get());
    instance->api_version = std::min(std::max(app_version, VK_API_VERSION_1_0),
                                     settings.instance_version | VK_VERSION_PATCH(~0U));
    for (uint32_t i = 0; i < info.enabledExtensionCount; ++i)
        instance->extensions.emplace(info.ppEnabledExtensionNames[i]);
    for (uint32_t i = 0; i < settings.device_count; ++i) {
        auto& device = instance->physical_devices.emplace_back(std::make_unique<PhysicalDevice>());
        set_loader_magic_value(device.get());
        device->instance = instance.get();
        device->index = i;
    }
    return instance;
}

VkResult create_instance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks*,
                         VkInstance* handle) {
    const uint32_t app_version =
        info->pApplicationInfo != nullptr ? info->pApplicationInfo->apiVersion : 0;
    CreateRecord record =
        make_record(info->enabledExtensionCount, info->ppEnabledExtensionNames, info->pNext);
    record.view.api_version = app_version;
    const Settings settings = current_settings();
    const auto failure = enter("vkCreateInstance");
    record.view.result = failure ? *failure : check_instance(*info, app_version, settings);
    const VkResult result = record.view.result;
    store(&State::instance_creates, std::move(record));
    if (result != VK_SUCCESS)
        return result;
    *handle = to_handle<VkInstance>(make_instance(*info, app_version, settings).release());
    ++objects().instances;
    return VK_SUCCESS;
}

void destroy_instance(VkInstance handle, const VkAllocationCallbacks*) {
    note("vkDestroyInstance");
    if (handle == VK_NULL_HANDLE)
        return;
    const std::unique_ptr<Instance> instance{from_handle<Instance>(handle)};
    const auto belongs = [&](const Surface& surface) { return surface.instance == instance.get(); };
    if (objects().surfaces.remove_if(belongs) > 0)
        misuse("vkDestroyInstance with surfaces left");
    --objects().instances;
}

VkResult enumerate_physical_devices(VkInstance handle, uint32_t* count, VkPhysicalDevice* devices) {
    if (const auto failure = enter_query("vkEnumeratePhysicalDevices"))
        return *failure;
    auto& list = from_handle<Instance>(handle)->physical_devices;
    return enumerate(std::span<const std::unique_ptr<PhysicalDevice>>{list}, count, devices,
                     [](VkPhysicalDevice& to, const auto& from) {
                         to = to_handle<VkPhysicalDevice>(from.get());
                     });
}

/// Each device is a group of its own.
VkResult enumerate_groups(VkInstance handle, uint32_t* count,
                          VkPhysicalDeviceGroupProperties* groups) {
    if (const auto failure = enter_query("vkEnumeratePhysicalDeviceGroups"))
        return *failure;
    auto& list = from_handle<Instance>(handle)->physical_devices;
    return enumerate(std::span<const std::unique_ptr<PhysicalDevice>>{list}, count, groups,
                     [](VkPhysicalDeviceGroupProperties& to, const auto& from) {
                         to.physicalDeviceCount = 1;
                         to.physicalDevices[0] = to_handle<VkPhysicalDevice>(from.get());
                         to.subsetAllocation = VK_FALSE;
                     });
}

} // namespace

std::span<const EntryPoint> instance_entry_points() {
    static const EntryPoint table[]{
        entry_point<PFN_vkGetInstanceProcAddr, get_instance_function>("vkGetInstanceProcAddr",
                                                                      Level::global),
        entry_point<PFN_vkEnumerateInstanceVersion, enumerate_instance_version>(
            "vkEnumerateInstanceVersion", Level::global, VK_API_VERSION_1_1),
        entry_point<PFN_vkEnumerateInstanceExtensionProperties, enumerate_instance_extensions>(
            "vkEnumerateInstanceExtensionProperties", Level::global),
        entry_point<PFN_vkEnumerateInstanceLayerProperties, enumerate_instance_layers>(
            "vkEnumerateInstanceLayerProperties", Level::global),
        entry_point<PFN_vkCreateInstance, create_instance>("vkCreateInstance", Level::global),
        entry_point<PFN_vkDestroyInstance, destroy_instance>("vkDestroyInstance", Level::instance),
        entry_point<PFN_vkEnumeratePhysicalDevices, enumerate_physical_devices>(
            "vkEnumeratePhysicalDevices", Level::instance),
        entry_point<PFN_vkEnumeratePhysicalDeviceGroups, enumerate_groups>(
            "vkEnumeratePhysicalDeviceGroups", Level::instance, VK_API_VERSION_1_1),
        entry_point<PFN_vkEnumeratePhysicalDeviceGroupsKHR, enumerate_groups>(
            "vkEnumeratePhysicalDeviceGroupsKHR", Level::instance, never_core,
            VK_KHR_DEVICE_GROUP_CREATION_EXTENSION_NAME),
    };
    return table;
}

} // namespace fencebridge::fake_driver
