// SPDX-License-Identifier: MIT
// A swapchain, and the calls of a frame one by one.
#pragma once

#include <utility>
#include <vector>

#include "application.hpp"

namespace fencebridge::test {

struct SwapchainRequest {
    VkPresentModeKHR mode{VK_PRESENT_MODE_FIFO_KHR};
    uint32_t min_images{3};
    VkExtent2D extent{64, 48};
    VkFormat format{VK_FORMAT_B8G8R8A8_UNORM};
    VkSwapchainCreateFlagsKHR flags{0};
    VkSwapchainKHR old{VK_NULL_HANDLE};
    const void* next{nullptr};
};

class Swapchain {
public:
    Swapchain(const Device& device, VkSurfaceKHR surface, const SwapchainRequest& request);
    /// @param next  VkSwapchainCreateInfoKHR::pNext
    Swapchain(const Device& device, VkSurfaceKHR surface, VkSwapchainKHR old = VK_NULL_HANDLE,
              const void* next = nullptr) :
        Swapchain{device, surface, SwapchainRequest{.old = old, .next = next}} {}
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

/// Only a test that fails waits this long.
inline constexpr uint64_t patience_ns = 10'000'000'000;

/// The synchronisation objects of one frame, and the three calls that make the frame.
class Frame {
public:
    explicit Frame(const Device& device);
    ~Frame();
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    /// Acquires an image with a semaphore and a fence.
    /// @param timeout  nanoseconds; by default so long that only a test that fails waits
    [[nodiscard]] VkResult acquire(const Swapchain& swapchain, uint64_t timeout = patience_ns);
    /// Submits a batch that waits for acquire()'s semaphore and signals the one of present().
    /// @param commands  may be null; fake_driver().hold_rendering() holds batches with commands
    [[nodiscard]] VkResult submit(VkCommandBuffer commands = VK_NULL_HANDLE);
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
/// Shows more frames than there are images, so that no image may be lost.
void expect_frames(const Device& device, const Swapchain& swapchain);

} // namespace fencebridge::test
