// SPDX-License-Identifier: MIT
// A layer that hides what the driver below it has, so that tests can run on a real driver that
// lacks something. It belongs below the layer that is tested.
#include "layer.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

namespace fencebridge::mask {
namespace {

constexpr VkLayerProperties own_properties{.layerName = "VK_LAYER_FENCEBRIDGE_test_mask",
                                           .specVersion = VK_HEADER_VERSION_COMPLETE,
                                           .implementationVersion = 1,
                                           .description = "Hides features of the driver"};

/// By the loader's dispatch table.
template <class Object>
class Table {
public:
    void add(const void* handle, Object object) {
        const std::lock_guard lock{mutex_};
        objects_.insert_or_assign(key(handle), object);
    }
    [[nodiscard]] Object find(const void* handle) {
        const std::lock_guard lock{mutex_};
        return objects_.at(key(handle));
    }
    Object remove(const void* handle) {
        const std::lock_guard lock{mutex_};
        return objects_.extract(key(handle)).mapped();
    }

private:
    static const void* key(const void* handle) { return *static_cast<const void* const*>(handle); }
    std::mutex mutex_;
    std::map<const void*, Object> objects_;
};

Table<Instance>& instances() {
    static Table<Instance> all;
    return all;
}
Table<Device>& devices() {
    static Table<Device> all;
    return all;
}

/// The loader's link to the next layer.
template <class Link>
Link* find_link(const void* chain, VkStructureType type) {
    for (auto* node = static_cast<const VkBaseInStructure*>(chain); node != nullptr;
         node = node->pNext) {
        auto* const link = reinterpret_cast<Link*>(const_cast<VkBaseInStructure*>(node));
        if (node->sType == type && link->function == VK_LAYER_LINK_INFO)
            return link;
    }
    return nullptr;
}

std::span<const Command> instance_commands();

std::shared_ptr<const Resolved> resolve(VkInstance instance, PFN_vkGetInstanceProcAddr proc) {
    auto next = std::make_shared<Resolved>();
    for (const auto& table : {instance_commands(), physical_device_commands()})
        for (const Command& row : table)
            next->emplace(row.name, proc(instance, row.name.data()));
    return next;
}

VkResult create_instance(const VkInstanceCreateInfo* info, const VkAllocationCallbacks* allocator,
                         VkInstance* handle) {
    auto* const link = find_link<VkLayerInstanceCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    const char* const list = std::getenv("FENCEBRIDGE_TEST_MASK");
    const auto masks = Masks::parse(list != nullptr ? list : "");
    if (link == nullptr || !masks)
        return VK_ERROR_INITIALIZATION_FAILED;
    const VkLayerInstanceLink next = *link->u.pLayerInfo;
    link->u.pLayerInfo = next.pNext;
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(
        next.pfnNextGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateInstance"));
    const VkResult result = create(info, allocator, handle);
    if (result == VK_SUCCESS)
        instances().add(*handle, {.handle = *handle,
                                  .proc = next.pfnNextGetInstanceProcAddr,
                                  .next = resolve(*handle, next.pfnNextGetInstanceProcAddr),
                                  .physical_device_proc = next.pfnNextGetPhysicalDeviceProcAddr,
                                  .masks = *masks});
    return result;
}

void destroy_instance(VkInstance handle, const VkAllocationCallbacks* allocator) {
    if (handle == VK_NULL_HANDLE)
        return;
    const Instance instance = instances().remove(handle);
    next_of<PFN_vkDestroyInstance>(instance, "vkDestroyInstance")(handle, allocator);
}

bool is_drm_extension(const char* name) {
    return std::strcmp(name, VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME) == 0;
}

VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo* info,
                       const VkAllocationCallbacks* allocator, VkDevice* handle) {
    const Instance instance = instance_of(physical);
    auto* const link = find_link<VkLayerDeviceCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr)
        return VK_ERROR_INITIALIZATION_FAILED;
    const std::span names{info->ppEnabledExtensionNames, info->enabledExtensionCount};
    if (std::ranges::any_of(names, [&](const char* name) { return instance.masks.hides(name); }))
        return VK_ERROR_EXTENSION_NOT_PRESENT;
    if (instance.masks.hides_feature_in(info->pNext))
        return VK_ERROR_FEATURE_NOT_PRESENT;
    const VkLayerDeviceLink next = *link->u.pLayerInfo;
    link->u.pLayerInfo = next.pNext;
    const auto create = reinterpret_cast<PFN_vkCreateDevice>(
        next.pfnNextGetInstanceProcAddr(instance.handle, "vkCreateDevice"));
    // The extension has no commands, so the driver need not know that the application enables it.
    VkDeviceCreateInfo passed = *info;
    std::vector<const char*> rest{names.begin(), names.end()};
    if (instance.masks.render_node)
        std::erase_if(rest, is_drm_extension);
    passed.enabledExtensionCount = static_cast<uint32_t>(rest.size());
    passed.ppEnabledExtensionNames = rest.data();
    const VkResult result = create(physical, &passed, allocator, handle);
    if (result == VK_SUCCESS)
        devices().add(
            *handle,
            {.handle = *handle, .proc = next.pfnNextGetDeviceProcAddr, .masks = instance.masks});
    return result;
}

void destroy_device(VkDevice handle, const VkAllocationCallbacks* allocator) {
    if (handle == VK_NULL_HANDLE)
        return;
    const Device device = devices().remove(handle);
    next_of<PFN_vkDestroyDevice>(device, "vkDestroyDevice")(handle, allocator);
}

bool is_own(const char* layer) {
    return layer != nullptr && std::strcmp(layer, own_properties.layerName) == 0;
}

/// The answer for a layer without extensions, and the one about the layer itself.
VkResult enumerate_nothing(const char* layer, uint32_t* count, VkExtensionProperties*) {
    if (!is_own(layer))
        return VK_ERROR_LAYER_NOT_PRESENT;
    *count = 0;
    return VK_SUCCESS;
}

VkResult enumerate_self(uint32_t* count, VkLayerProperties* properties) {
    if (properties == nullptr) {
        *count = 1;
        return VK_SUCCESS;
    }
    if (*count == 0)
        return VK_INCOMPLETE;
    *count = 1;
    *properties = own_properties;
    return VK_SUCCESS;
}

VkResult enumerate_device_layers(VkPhysicalDevice, uint32_t* count, VkLayerProperties* properties) {
    return enumerate_self(count, properties);
}

VkResult enumerate_device_extensions(VkPhysicalDevice device, const char* layer, uint32_t* count,
                                     VkExtensionProperties* properties) {
    if (is_own(layer))
        return enumerate_nothing(layer, count, properties);
    const Instance instance = instance_of(device);
    const auto next = next_of<PFN_vkEnumerateDeviceExtensionProperties>(
        instance, "vkEnumerateDeviceExtensionProperties");
    if (layer != nullptr)
        return next(device, layer, count, properties);
    std::vector<VkExtensionProperties> all;
    for (VkResult result = VK_INCOMPLETE; result == VK_INCOMPLETE;) {
        uint32_t available = 0;
        result = next(device, nullptr, &available, nullptr);
        all.resize(available);
        if (result == VK_SUCCESS)
            result = next(device, nullptr, &available, all.data());
        if (result < 0)
            return result;
        all.resize(available);
    }
    std::erase_if(all, [&](const VkExtensionProperties& each) {
        return instance.masks.hides(each.extensionName) ||
               (instance.masks.render_node && is_drm_extension(each.extensionName));
    });
    if (instance.masks.render_node)
        all.push_back(
            {VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME, VK_EXT_PHYSICAL_DEVICE_DRM_SPEC_VERSION});
    const auto available = static_cast<uint32_t>(all.size());
    if (properties == nullptr) {
        *count = available;
        return VK_SUCCESS;
    }
    *count = std::min(*count, available);
    std::copy_n(all.begin(), *count, properties);
    return *count < available ? VK_INCOMPLETE : VK_SUCCESS;
}

PFN_vkVoidFunction get_instance_function(VkInstance handle, const char* name);
PFN_vkVoidFunction get_device_function(VkDevice handle, const char* name);

/// Commands that this layer has without asking the next one.
std::span<const Command> own_commands() {
    static const Command table[]{
        command<PFN_vkGetInstanceProcAddr, get_instance_function>("vkGetInstanceProcAddr"),
        command<PFN_vkCreateInstance, create_instance>("vkCreateInstance"),
        command<PFN_vkEnumerateInstanceExtensionProperties, enumerate_nothing>(
            "vkEnumerateInstanceExtensionProperties"),
        command<PFN_vkEnumerateInstanceLayerProperties, enumerate_self>(
            "vkEnumerateInstanceLayerProperties"),
    };
    return table;
}

std::span<const Command> instance_commands() {
    static const Command table[]{
        command<PFN_vkDestroyInstance, destroy_instance>("vkDestroyInstance"),
        command<PFN_vkCreateDevice, create_device>("vkCreateDevice"),
        command<PFN_vkEnumerateDeviceExtensionProperties, enumerate_device_extensions>(
            "vkEnumerateDeviceExtensionProperties"),
        command<PFN_vkEnumerateDeviceLayerProperties, enumerate_device_layers>(
            "vkEnumerateDeviceLayerProperties"),
    };
    return table;
}

std::span<const Command> common_device_commands() {
    static const Command table[]{
        command<PFN_vkGetDeviceProcAddr, get_device_function>("vkGetDeviceProcAddr"),
        command<PFN_vkDestroyDevice, destroy_device>("vkDestroyDevice"),
    };
    return table;
}

PFN_vkVoidFunction find(std::string_view name,
                        std::initializer_list<std::span<const Command>> tables) {
    for (const auto& table : tables)
        for (const Command& row : table)
            if (row.name == name)
                return row.function;
    return nullptr;
}

/// A command is available if the next layer has it.
PFN_vkVoidFunction get_instance_function(VkInstance handle, const char* name) {
    if (const auto own = find(name, {own_commands()}))
        return own;
    if (handle == VK_NULL_HANDLE)
        return nullptr;
    const Instance instance = instance_of(handle);
    const auto resolved = instance.next->find(name);
    const PFN_vkVoidFunction next =
        resolved != instance.next->end() ? resolved->second : instance.proc(instance.handle, name);
    const auto own = find(name, {instance_commands(), physical_device_commands(),
                                 common_device_commands(), device_commands()});
    return next != nullptr && own != nullptr ? own : next;
}

PFN_vkVoidFunction get_device_function(VkDevice handle, const char* name) {
    const Device device = device_of(handle);
    const PFN_vkVoidFunction next = device.proc(device.handle, name);
    const auto own = find(name, {common_device_commands(), device_commands()});
    return next != nullptr && own != nullptr ? own : next;
}

/// For commands of physical devices that the loader does not know.
PFN_vkVoidFunction get_physical_device_function(VkInstance handle, const char* name) {
    const Instance instance = instance_of(handle);
    const PFN_vkVoidFunction next = instance.physical_device_proc != nullptr
                                        ? instance.physical_device_proc(instance.handle, name)
                                        : nullptr;
    const auto own = find(name, {physical_device_commands()});
    return next != nullptr && own != nullptr ? own : next;
}

} // namespace

Instance instance_of(const void* handle) { return instances().find(handle); }
Device device_of(VkDevice handle) { return devices().find(handle); }

void report(const char* function) {
    std::fprintf(stderr, "mask: %s: uses something that is masked\n", function);
}

} // namespace fencebridge::mask

extern "C" __attribute__((visibility("default"))) VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* interface) {
    constexpr uint32_t version = 2;
    if (interface->loaderLayerInterfaceVersion < version)
        return VK_ERROR_INITIALIZATION_FAILED;
    interface->loaderLayerInterfaceVersion = version;
    interface->pfnGetInstanceProcAddr = fencebridge::mask::get_instance_function;
    interface->pfnGetDeviceProcAddr = fencebridge::mask::get_device_function;
    interface->pfnGetPhysicalDeviceProcAddr = fencebridge::mask::get_physical_device_function;
    return VK_SUCCESS;
}
