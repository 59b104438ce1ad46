// SPDX-License-Identifier: MIT
#include "info/vulkan.hpp"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <utility>

#include "vk/enumerate.hpp"

namespace fencebridge::info {

namespace {

constexpr std::array result_names = {
    std::pair(VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY"),
    std::pair(VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY"),
    std::pair(VK_ERROR_INITIALIZATION_FAILED, "VK_ERROR_INITIALIZATION_FAILED"),
    std::pair(VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST"),
    std::pair(VK_ERROR_LAYER_NOT_PRESENT, "VK_ERROR_LAYER_NOT_PRESENT"),
    std::pair(VK_ERROR_EXTENSION_NOT_PRESENT, "VK_ERROR_EXTENSION_NOT_PRESENT"),
    std::pair(VK_ERROR_FEATURE_NOT_PRESENT, "VK_ERROR_FEATURE_NOT_PRESENT"),
    std::pair(VK_ERROR_INCOMPATIBLE_DRIVER, "VK_ERROR_INCOMPATIBLE_DRIVER"),
    std::pair(VK_ERROR_TOO_MANY_OBJECTS, "VK_ERROR_TOO_MANY_OBJECTS"),
    std::pair(VK_ERROR_SURFACE_LOST_KHR, "VK_ERROR_SURFACE_LOST_KHR"),
    std::pair(VK_ERROR_NATIVE_WINDOW_IN_USE_KHR, "VK_ERROR_NATIVE_WINDOW_IN_USE_KHR"),
};

std::vector<std::string> names_of(const std::vector<VkExtensionProperties>& extensions) {
    std::vector<std::string> names;
    for (const VkExtensionProperties& extension : extensions)
        names.emplace_back(extension.extensionName);
    return names;
}

} // namespace

std::string name_of(VkResult result) {
    for (const auto& [known, name] : result_names) {
        if (known == result)
            return name;
    }
    return "VkResult " + std::to_string(static_cast<int>(result));
}

std::string version_name(uint32_t version) {
    return std::to_string(VK_API_VERSION_MAJOR(version)) + "." +
           std::to_string(VK_API_VERSION_MINOR(version)) + "." +
           std::to_string(VK_API_VERSION_PATCH(version));
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

std::expected<VulkanLibrary, std::string> VulkanLibrary::open() {
    void* const library = ::dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
        return std::unexpected(::dlerror());
    void* const get = ::dlsym(library, "vkGetInstanceProcAddr");
    if (get == nullptr)
        return std::unexpected(::dlerror());
    return VulkanLibrary(reinterpret_cast<PFN_vkGetInstanceProcAddr>(get));
}

uint32_t VulkanLibrary::version() const {
    const auto enumerate =
        function<PFN_vkEnumerateInstanceVersion>(nullptr, "vkEnumerateInstanceVersion");
    uint32_t version = VK_API_VERSION_1_0;
    if (enumerate != nullptr)
        enumerate(&version);
    return version;
}

uint32_t VulkanLibrary::requested_version() const {
    return std::min<uint32_t>(version(), VK_API_VERSION_1_3);
}

std::vector<VkLayerProperties> VulkanLibrary::layers() const {
    const auto list = function<PFN_vkEnumerateInstanceLayerProperties>(
        nullptr, "vkEnumerateInstanceLayerProperties");
    return vk::enumerate<VkLayerProperties>(list).value_or(std::vector<VkLayerProperties>());
}

std::vector<std::string> VulkanLibrary::extensions(const char* layer) const {
    const auto list = function<PFN_vkEnumerateInstanceExtensionProperties>(
        nullptr, "vkEnumerateInstanceExtensionProperties");
    return names_of(vk::enumerate<VkExtensionProperties>([&](uint32_t* count, auto* array) {
                        return list(layer, count, array);
                    }).value_or(std::vector<VkExtensionProperties>()));
}

std::expected<Instance, VkResult> Instance::create(const VulkanLibrary& library,
                                                   const std::vector<const char*>& layers,
                                                   const std::vector<const char*>& extensions) {
    const VkApplicationInfo application = {
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .pApplicationName = "fencebridge-info",
        .apiVersion = library.requested_version(),
    };
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledLayerCount = static_cast<uint32_t>(layers.size()),
        .ppEnabledLayerNames = layers.data(),
        .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
        .ppEnabledExtensionNames = extensions.data(),
    };
    const auto create_instance =
        library.function<PFN_vkCreateInstance>(nullptr, "vkCreateInstance");
    VkInstance handle = VK_NULL_HANDLE;
    if (const VkResult result = create_instance(&info, nullptr, &handle); result != VK_SUCCESS)
        return std::unexpected(result);
    return Instance(library, handle);
}

Instance::~Instance() {
    if (handle_ != VK_NULL_HANDLE)
        function<PFN_vkDestroyInstance>("vkDestroyInstance")(handle_, nullptr);
}

std::expected<std::vector<VkPhysicalDevice>, VkResult> Instance::physical_devices() const {
    const auto list = function<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices");
    return vk::enumerate<VkPhysicalDevice>(
        [&](uint32_t* count, auto* array) { return list(handle_, count, array); });
}

std::vector<std::string> Instance::device_extensions(VkPhysicalDevice device) const {
    const auto list =
        function<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
    return names_of(vk::enumerate<VkExtensionProperties>([&](uint32_t* count, auto* array) {
                        return list(device, nullptr, count, array);
                    }).value_or(std::vector<VkExtensionProperties>()));
}

} // namespace fencebridge::info
