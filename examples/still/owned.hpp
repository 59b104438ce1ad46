// SPDX-License-Identifier: MIT
// Owners for Vulkan objects.
#pragma once

#include <utility>

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

// Owns `Handle`, a child of the VkInstance or VkDevice `Parent`, which must outlive it. Destroy is
// the vkDestroy... or vkFree... function with the usual three parameters; all of them accept
// VK_NULL_HANDLE.
template <typename Parent, typename Handle, auto Destroy>
class Owned {
public:
    Owned() = default;
    Owned(Parent parent, Handle handle) : parent_(parent), handle_(handle) {}
    Owned(Owned&& other) noexcept :
        parent_(other.parent_), handle_(std::exchange(other.handle_, VK_NULL_HANDLE)) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(parent_, other.parent_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Owned() {
        if (handle_ != VK_NULL_HANDLE)
            Destroy(parent_, handle_, nullptr);
    }

    Handle get() const { return handle_; }
    // For arrays of handles in Vulkan's structures.
    const Handle* address() const { return &handle_; }

private:
    Parent parent_{};
    Handle handle_ = VK_NULL_HANDLE;
};

using Surface = Owned<VkInstance, VkSurfaceKHR, vkDestroySurfaceKHR>;
using Swapchain = Owned<VkDevice, VkSwapchainKHR, vkDestroySwapchainKHR>;
using Semaphore = Owned<VkDevice, VkSemaphore, vkDestroySemaphore>;
using Fence = Owned<VkDevice, VkFence, vkDestroyFence>;
using CommandPool = Owned<VkDevice, VkCommandPool, vkDestroyCommandPool>;
using Buffer = Owned<VkDevice, VkBuffer, vkDestroyBuffer>;
using Memory = Owned<VkDevice, VkDeviceMemory, vkFreeMemory>;

} // namespace fencebridge::still
