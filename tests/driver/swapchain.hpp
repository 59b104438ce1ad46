// SPDX-License-Identifier: MIT
// A swapchain, and the calls of a frame one by one.
#pragma once

#include <utility>
#include <vector>

#include "application.hpp"

namespace fencebridge::test {

class Swapchain {
public:
    /// @param next  VkSwapchainCreateInfoKHR::pNext
    Swapchain(const Device& device, VkSurfaceKHR surface, VkSwapchainKHR old = VK_NULL_HANDLE,
              const void* next = nullptr);
    ~Swapchain() { destroy(); }
    Swapchain(const Swapchain&) = delete;
    Swapchain& operator=(const Swapchain&) = delete;

    void destroy();
    [[nodiscard]] VkResult result() const { return result_; }
    [[nodiscard]] operator VkSwapchainKHR() const { return handle_; }
    [[nodiscard]] uint32_t image_count() const;

private:
    const Device& device_;
    VkResult result_;
    VkSwapchainKHR handle_{VK_NULL_HANDLE};
};

/// The synchronisation objects of one frame, and the three calls that make the frame.
class Frame {
public:
    explicit Frame(const Device& device);
    ~Frame();
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    /// Acquires an image with a semaphore and a fence.
    [[nodiscard]] VkResult acquire(const Swapchain& swapchain);
    /// Submits a batch that waits for acquire()'s semaphore and signals the one of present().
    [[nodiscard]] VkResult submit();
    /// @param fence  VkSwapchainPresentFenceInfoKHR; null: without this structure
    /// @param next   other structures of VkPresentInfoKHR::pNext
    [[nodiscard]] VkResult present(const Swapchain& swapchain, VkFence fence = VK_NULL_HANDLE,
                                   const void* next = nullptr);
    /// Waits for the fences of acquire() and submit(), and resets them.
    [[nodiscard]] VkResult finish();
    [[nodiscard]] VkFence acquire_fence() const { return acquired_fence_; }
    /// The image that acquire() has acquired.
    [[nodiscard]] uint32_t index() const { return index_; }

private:
    const Device& device_;
    VkSemaphore acquired_{VK_NULL_HANDLE};
    VkSemaphore rendered_{VK_NULL_HANDLE};
    VkFence acquired_fence_{VK_NULL_HANDLE};
    VkFence done_{VK_NULL_HANDLE};
    uint32_t index_{UINT32_MAX};
};

/// Shows one frame. Returns the first result that is not VK_SUCCESS.
[[nodiscard]] VkResult show_frame(const Device& device, const Swapchain& swapchain);

} // namespace fencebridge::test
