// SPDX-License-Identifier: MIT
// The Vulkan instance, and a device with a queue that can draw and present: to Wayland, or to
// surfaces without a window.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <wayland-client.h>

#include "owned.hpp"

namespace fencebridge::still {

// What a device has besides VK_KHR_swapchain.
struct DeviceAdditions {
    std::vector<const char*> extensions = {};
    const void* features = nullptr; // the pNext chain that enables them
    uint32_t api_version = VK_API_VERSION_1_0;
};

class Gpu {
public:
    // Uses the first suitable physical device. Without a display (null), it can present to surfaces
    // without a window (VK_EXT_headless_surface).
    explicit Gpu(wl_display* display, const DeviceAdditions& additions = {});
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    VkInstance instance() const { return instance_; }
    VkPhysicalDevice physical_device() const { return physical_device_; }
    VkDevice device() const { return device_; }
    uint32_t queue_family() const { return queue_family_; }
    VkQueue queue() const { return queue_; }
    const std::string& name() const { return name_; }

    // Waits until all submitted work has ended. The specification does not promise that presents
    // have then waited for their semaphores.
    void wait_idle() const;

    Surface create_surface(wl_display* display, wl_surface* surface) const;
    Surface create_headless_surface() const;
    VkSurfaceCapabilitiesKHR capabilities_of(const Surface& surface) const;
    std::vector<VkSurfaceFormatKHR> formats_of(const Surface& surface) const;

    // A swapchain whose images are only copied to or cleared.
    struct SwapchainChoice {
        VkFormat format;
        VkExtent2D extent;
        uint32_t min_images;
        VkCompositeAlphaFlagBitsKHR alpha;
        VkPresentModeKHR mode;
        VkSwapchainKHR old = VK_NULL_HANDLE; // retired, even if the call fails
    };
    Swapchain create_swapchain(const Surface& surface, const SwapchainChoice& choice) const;
    std::vector<VkImage> images_of(const Swapchain& swapchain) const;

    Semaphore create_semaphore() const;
    Fence create_signalled_fence() const;
    CommandPool create_command_pool(VkCommandPoolCreateFlags flags) const;
    VkCommandBuffer allocate_commands(const CommandPool& pool) const; // the pool's

    // The first of the allowed memory types that has all the flags.
    std::optional<uint32_t> find_memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const;
    Memory allocate(VkDeviceSize size, uint32_t memory_type, const void* next = nullptr) const;

    // A buffer to copy from, in memory that the CPU writes to through `mapping`.
    struct Upload {
        Memory memory; // outlives the buffer that is bound to it
        Buffer buffer;
        void* mapping = nullptr;
    };
    Upload create_upload(VkDeviceSize size) const;

private:
    void create_instance(const char* surface_extension, uint32_t api_version);
    void choose_device(wl_display* display);
    void create_device(const DeviceAdditions& additions);
    Surface adopt(VkSurfaceKHR handle) const; // throws if the queue cannot present to it

    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
    uint32_t queue_family_ = 0;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    std::string name_;
};

} // namespace fencebridge::still
