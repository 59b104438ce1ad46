// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vulkan/vulkan.h>

#include "core/frame_pacing.hpp"
#include "core/image_ring.hpp"
#include "core/present_completions.hpp"
#include "util/fd.hpp"

namespace fencebridge {

/// One swapchain's part of a vkQueuePresentKHR. Everything in it is the caller's and is read during
/// the call only.
struct PresentRequest {
    core::ImageIndex image;
    /// A sync_file that signals when the window system may read the image. Empty: it may now.
    const Fd& rendering_fence;
    /// Whether this request waits for the window's turn.
    core::Turn turn;

    // From structures that extend VkPresentInfoKHR. `mode`, `fence` and `target` are not set today:
    // the layer hides their extensions.

    /// VkPresentIdKHR or VkPresentId2KHR.
    std::optional<core::PresentId> id = std::nullopt;
    /// VkPresentRegionsKHR: the parts that differ from the swapchain's last image. Empty: all of
    /// the image.
    std::span<const VkRectLayerKHR> damage = {};
    /// VkSwapchainPresentModeInfoEXT: the mode of this request and of later ones. One of those for
    /// which the swapchain has enough images.
    std::optional<VkPresentModeKHR> mode = std::nullopt;
    /// VkSwapchainPresentFenceInfoEXT: signalled when the swapchain needs neither `rendering_fence`
    /// nor the wait semaphores any more.
    VkFence fence = VK_NULL_HANDLE;
    /// VkPresentTimeGOOGLE: do not show the image earlier.
    std::optional<std::chrono::steady_clock::time_point> target = std::nullopt;
};

} // namespace fencebridge
