// SPDX-License-Identifier: MIT
#include "entry_points.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "control_table.hpp"
#include "objects.hpp"

namespace fencebridge::fake_driver {
namespace {

std::vector<EntryPoint> join_tables() {
    std::vector<EntryPoint> all;
    for (const auto& table :
         {instance_entry_points(), physical_device_entry_points(), format_entry_points(),
          device_entry_points(), memory_entry_points(), image_entry_points(), sync_entry_points(),
          queue_entry_points(), command_entry_points(), recording_entry_points(),
          native_wsi_entry_points(), object_data_entry_points(),
          calibrated_timestamps_entry_points()})
        all.insert(all.end(), table.begin(), table.end());
    return all;
}

template <class Predicate>
PFN_vkVoidFunction find_function(std::string_view name, Predicate&& available) {
    static const std::vector<EntryPoint> all = join_tables();
    for (const EntryPoint& entry : all)
        if (entry.name == name && available(entry))
            return entry.function;
    return nullptr;
}

/// Global functions need no instance; a 1.0 driver has no vkEnumerateInstanceVersion.
bool is_available(const EntryPoint& entry, const Instance* instance) {
    if (entry.level == Level::global)
        return entry.core <= current_settings().instance_version;
    if (instance == nullptr)
        return false;
    // vkGetInstanceProcAddr may return functions of devices before there is a device.
    if (entry.level == Level::device)
        return true;
    if (entry.extension == VK_KHR_SWAPCHAIN_EXTENSION_NAME)
        return current_settings().native_wsi;
    return entry.core <= instance->api_version || instance->extensions.contains(entry.extension);
}

} // namespace

PFN_vkVoidFunction get_instance_function(VkInstance handle, const char* name) {
    const auto* const instance = from_handle<Instance>(handle);
    return find_function(name,
                         [&](const EntryPoint& entry) { return is_available(entry, instance); });
}

PFN_vkVoidFunction get_physical_device_function(VkInstance handle, const char* name) {
    const auto* const instance = from_handle<Instance>(handle);
    return find_function(name, [&](const EntryPoint& entry) {
        return entry.level == Level::physical_device && is_available(entry, instance);
    });
}

PFN_vkVoidFunction get_device_function(VkDevice handle, const char* name) {
    const auto* const device = from_handle<Device>(handle);
    return find_function(name, [&](const EntryPoint& entry) {
        return entry.level == Level::device &&
               (entry.core <= device->api_version || device->has(entry.extension) ||
                // Device commands of VK_EXT_debug_utils, an instance extension.
                device->physical_device->instance->extensions.contains(entry.extension));
    });
}

template <class Object>
void require(const void* handle, const char* name) {
    if (Object::is_live(handle))
        return;
    misuse(std::string{"not a live "} + name);
    std::abort();
}

void require_live(VkInstance handle) {
    // vkGetInstanceProcAddr has no instance for global functions.
    if (handle != VK_NULL_HANDLE)
        require<Instance>(handle, "VkInstance");
}
void require_live(VkPhysicalDevice handle) { require<PhysicalDevice>(handle, "VkPhysicalDevice"); }
void require_live(VkDevice handle) { require<Device>(handle, "VkDevice"); }
void require_live(VkQueue handle) { require<Queue>(handle, "VkQueue"); }
void require_live(VkCommandBuffer handle) { require<CommandBuffer>(handle, "VkCommandBuffer"); }

Objects& objects() {
    static Objects all;
    return all;
}

std::shared_ptr<Image> find_image(VkImage handle) {
    auto image = objects().native_images.find_if_any(handle);
    return image != nullptr ? image : objects().images.find(handle);
}

} // namespace fencebridge::fake_driver

// The driver's side of the loader's interface. It requires version 5, because older loaders hide an
// application's API version from drivers.

#define FAKE_DRIVER_EXPORT extern "C" __attribute__((visibility("default")))

FAKE_DRIVER_EXPORT VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
    constexpr uint32_t oldest = 5;
    constexpr uint32_t newest = 7;
    if (*version < oldest)
        return VK_ERROR_INCOMPATIBLE_DRIVER;
    *version = std::min(*version, newest);
    return VK_SUCCESS;
}

FAKE_DRIVER_EXPORT PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance instance,
                                                                           const char* name) {
    // Since version 7 the loader queries these two by name.
    const std::string_view wanted{name};
    if (wanted == "vk_icdNegotiateLoaderICDInterfaceVersion")
        return reinterpret_cast<PFN_vkVoidFunction>(vk_icdNegotiateLoaderICDInterfaceVersion);
    if (wanted == "vk_icdGetPhysicalDeviceProcAddr")
        return reinterpret_cast<PFN_vkVoidFunction>(
            fencebridge::fake_driver::get_physical_device_function);
    return fencebridge::fake_driver::get_instance_function(instance, name);
}

FAKE_DRIVER_EXPORT PFN_vkVoidFunction VKAPI_CALL
vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char* name) {
    return fencebridge::fake_driver::get_physical_device_function(instance, name);
}

FAKE_DRIVER_EXPORT const FakeDriverControl* fake_driver_get_control(uint32_t version) {
    return version == FAKE_DRIVER_CONTROL_VERSION ? &fencebridge::fake_driver::control_table()
                                                  : nullptr;
}
