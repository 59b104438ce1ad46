// SPDX-License-Identifier: MIT
// Owners of a VkInstance and a VkDevice for tests through the loader. The test chooses the version
// and the extensions.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <vulkan/vulkan.h>

namespace fencebridge::test {

using Names = std::set<std::string>;

struct InstanceRequest {
    uint32_t api_version{VK_API_VERSION_1_3}; // 0: no VkApplicationInfo at all
    std::vector<const char*> extensions{"VK_KHR_surface", "VK_KHR_wayland_surface"};
    const void* next{nullptr};
};

class Instance {
public:
    explicit Instance(const InstanceRequest& request = {});
    ~Instance() { destroy(); }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    void destroy();
    [[nodiscard]] VkResult result() const { return result_; }
    [[nodiscard]] operator VkInstance() const { return handle_; }
    [[nodiscard]] VkPhysicalDevice physical_device(uint32_t index = 0) const;

private:
    VkResult result_;
    VkInstance handle_{VK_NULL_HANDLE};
};

struct DeviceRequest {
    std::vector<const char*> extensions{"VK_KHR_swapchain"};
    const void* next{nullptr};
    std::vector<VkDeviceQueueCreateInfo> queues{}; ///< empty: one or two queues of family 0
};

class Device {
public:
    explicit Device(VkPhysicalDevice physical_device, const DeviceRequest& request = {});
    ~Device() { destroy(); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    void destroy();
    [[nodiscard]] VkResult result() const { return result_; }
    [[nodiscard]] operator VkDevice() const { return handle_; }
    [[nodiscard]] VkQueue queue(uint32_t index = 0) const;

    /// A function of the device; null if the device does not have it.
    template <class Function>
    [[nodiscard]] Function function(const char* name) const {
        return reinterpret_cast<Function>(vkGetDeviceProcAddr(handle_, name));
    }

private:
    VkResult result_;
    VkDevice handle_{VK_NULL_HANDLE};
};

/// The names that vkEnumerateInstanceExtensionProperties returns. Expects that another call, with
/// too small an array, returns VK_INCOMPLETE.
[[nodiscard]] std::vector<std::string> instance_extensions(const char* layer = nullptr);
[[nodiscard]] std::vector<std::string> device_extensions(VkPhysicalDevice physical_device,
                                                         const char* layer = nullptr);

[[nodiscard]] inline Names as_set(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

} // namespace fencebridge::test
