// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/image_ring.hpp"
#include "core/transport_choice.hpp"
#include "image/swapchain_image.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "sync/bridge.hpp"
#include "sync/payload.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"
#include "vk/format.hpp"
#include "vk/physical_device.hpp"

namespace fencebridge {

/// A VkSwapchainKHR of the layer's own: images from the driver, a bridge for their fences, and a
/// presenter that shows them.
///
/// A frame's way: acquire() takes a free image, snapshots through the bridge what the window system
/// still does with it, and gives that to the application's semaphore and fence;
/// present() attaches the application's rendering through the bridge and hands the image to the
/// presenter, which marks it free in the ring when it comes back.
class Swapchain {
public:
    /// @param info       the application's; read during the call only
    /// @param requested  the transport that the settings ask for
    /// @return what vkCreateSwapchainKHR returns
    [[nodiscard]] static std::expected<std::unique_ptr<Swapchain>, VkResult>
    create(const vk::Device& device, sync::PayloadImporter& payloads,
           const vk::PhysicalDevice& physical, Window& window, const VkSwapchainCreateInfoKHR& info,
           std::optional<core::Transport> requested);

    ~Swapchain();

    /// vkAcquireNextImageKHR.
    /// @param timeout  nanoseconds, UINT64_MAX for ever
    /// @return with an image, VK_SUCCESS, or VK_SUBOPTIMAL_KHR when a new swapchain could be shown
    ///         better; or a failure
    [[nodiscard]] VkResult acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                                   uint32_t* image_index);

    /// One swapchain's part of vkQueuePresentKHR.
    /// @param rendering  a sync_file that signals when the image may be read; empty: it may
    /// @param turn       whether the present mode's pace is kept
    [[nodiscard]] VkResult present(uint32_t image_index, const Fd& rendering, core::Turn turn);

    /// How long present() would wait now for the window's turn.
    [[nodiscard]] core::CommitWait expected_wait() { return presenter_->expected_wait(); }

    /// Another swapchain has taken the surface over (VkSwapchainCreateInfoKHR::oldSwapchain): what
    /// is acquired may still be presented, nothing more can be acquired.
    void retire() { retired_ = true; }

    /// The memory to bind `alias` to, an image of the application's that is to be another name of
    /// one of the swapchain's (VkBindImageMemorySwapchainInfoKHR). It lives as long as the
    /// swapchain.
    [[nodiscard]] std::expected<VkDeviceMemory, VkResult> memory_for_alias(uint32_t image_index,
                                                                           VkImage alias);

    [[nodiscard]] std::span<const image::SwapchainImage> images() const { return images_; }
    [[nodiscard]] const vk::ImageParameters& image_parameters() const { return parameters_; }

private:
    /// The image parameters, and the layouts that both sides can do, best first.
    struct Plan;

    Swapchain(const vk::Device& device, sync::PayloadImporter& payloads,
              vk::ImageParameters parameters, uint32_t image_count);

    VkResult build(Window& window, const Plan& plan, std::span<const vk::DriverModifier> modifiers,
                   std::optional<core::Transport> requested);
    std::expected<sync::Snapshot, VkResult> take_image(const Deadline& deadline);
    std::expected<core::ImageList, VkResult> free_images();
    void log_opened(const Plan& plan, const core::TransportChoice& choice) const;

    const vk::Device& device_;
    sync::PayloadImporter& payloads_;
    const vk::ImageParameters parameters_;
    Locked<core::ImageRing> ring_;
    std::vector<image::SwapchainImage> images_;
    Locked<std::vector<vk::Memory>> alias_memory_;
    std::unique_ptr<sync::Bridge> bridge_;
    std::unique_ptr<Presenter> presenter_; ///< goes before the images that it shows

    std::atomic<bool> retired_ = false;
    std::atomic<uint64_t> acquired_ = 0;
    std::atomic<uint64_t> presented_ = 0;
};

} // namespace fencebridge
