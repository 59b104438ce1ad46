// SPDX-License-Identifier: MIT
#include "application.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace fencebridge::test {
namespace {

template <class Enumerate>
std::vector<std::string> enumerate_names(Enumerate&& enumerate) {
    uint32_t count = 0;
    if (enumerate(&count, nullptr) != VK_SUCCESS)
        return {};
    std::vector<VkExtensionProperties> properties(count);
    EXPECT_EQ(enumerate(&count, properties.data()), VK_SUCCESS);
    if (count > 1) {
        uint32_t too_few = count - 1;
        std::vector<VkExtensionProperties> shorter(count);
        EXPECT_EQ(enumerate(&too_few, shorter.data()), VK_INCOMPLETE);
        EXPECT_EQ(too_few, count - 1);
    }
    std::vector<std::string> names;
    for (const VkExtensionProperties& property : properties)
        names.emplace_back(property.extensionName);
    return names;
}

} // namespace

Instance::Instance(const InstanceRequest& request) {
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pNext = nullptr,
                                        .pApplicationName = "driver tests",
                                        .applicationVersion = 0,
                                        .pEngineName = nullptr,
                                        .engineVersion = 0,
                                        .apiVersion = request.api_version};
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = request.next,
        .flags = 0,
        .pApplicationInfo = request.api_version != 0 ? &application : nullptr,
        .enabledLayerCount = 0,
        .ppEnabledLayerNames = nullptr,
        .enabledExtensionCount = static_cast<uint32_t>(request.extensions.size()),
        .ppEnabledExtensionNames = request.extensions.data()};
    result_ = vkCreateInstance(&info, nullptr, &handle_);
    if (result_ != VK_SUCCESS)
        handle_ = VK_NULL_HANDLE;
}

void Instance::destroy() {
    if (handle_ != VK_NULL_HANDLE)
        vkDestroyInstance(std::exchange(handle_, nullptr), nullptr);
}

VkPhysicalDevice Instance::physical_device(uint32_t index) const {
    std::array<VkPhysicalDevice, 8> devices{};
    auto count = static_cast<uint32_t>(devices.size());
    EXPECT_EQ(vkEnumeratePhysicalDevices(handle_, &count, devices.data()), VK_SUCCESS);
    EXPECT_LT(index, count);
    // The loader may sort physical devices. The fake driver ends a device's name with its index.
    for (uint32_t i = 0; i < count; ++i) {
        VkPhysicalDeviceProperties properties{};
        vkGetPhysicalDeviceProperties(devices.at(i), &properties);
        if (properties.deviceName == "Fake GPU " + std::to_string(index))
            return devices.at(i);
    }
    return VK_NULL_HANDLE;
}

Device::Device(VkPhysicalDevice physical_device, const DeviceRequest& request) {
    static constexpr std::array priorities{1.0F, 1.0F};
    VkQueueFamilyProperties family{};
    uint32_t families = 1;
    vkGetPhysicalDeviceQueueFamilyProperties(physical_device, &families, &family);
    const VkDeviceQueueCreateInfo usual{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                        .pNext = nullptr,
                                        .flags = 0,
                                        .queueFamilyIndex = 0,
                                        .queueCount = std::min(family.queueCount, 2U),
                                        .pQueuePriorities = priorities.data()};
    const std::span queues =
        request.queues.empty() ? std::span(&usual, 1) : std::span(request.queues);
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .pNext = request.next,
                                  .flags = 0,
                                  .queueCreateInfoCount = static_cast<uint32_t>(queues.size()),
                                  .pQueueCreateInfos = queues.data(),
                                  .enabledLayerCount = 0,
                                  .ppEnabledLayerNames = nullptr,
                                  .enabledExtensionCount =
                                      static_cast<uint32_t>(request.extensions.size()),
                                  .ppEnabledExtensionNames = request.extensions.data(),
                                  .pEnabledFeatures = nullptr};
    result_ = vkCreateDevice(physical_device, &info, nullptr, &handle_);
    if (result_ != VK_SUCCESS)
        handle_ = VK_NULL_HANDLE;
}

void Device::destroy() {
    if (handle_ != VK_NULL_HANDLE)
        vkDestroyDevice(std::exchange(handle_, nullptr), nullptr);
}

VkQueue Device::queue(uint32_t index) const {
    VkQueue queue = VK_NULL_HANDLE;
    vkGetDeviceQueue(handle_, 0, index, &queue);
    return queue;
}

std::vector<std::string> instance_extensions(const char* layer) {
    return enumerate_names([&](uint32_t* count, VkExtensionProperties* properties) {
        return vkEnumerateInstanceExtensionProperties(layer, count, properties);
    });
}

std::vector<std::string> device_extensions(VkPhysicalDevice physical_device, const char* layer) {
    return enumerate_names([&](uint32_t* count, VkExtensionProperties* properties) {
        return vkEnumerateDeviceExtensionProperties(physical_device, layer, count, properties);
    });
}

} // namespace fencebridge::test
