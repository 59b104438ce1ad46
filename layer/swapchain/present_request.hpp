// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <vulkan/vulkan.h>

#include "core/frame_pacing.hpp"
#include "core/image_ring.hpp"
#include "core/present_completions.hpp"
#include "swapchain/present_timing.hpp"
#include "sync/rendering.hpp"
#include "util/deadline.hpp"

namespace fencebridge {

/// One swapchain's part of a vkQueuePresentKHR. Everything in it is the caller's and is read during
/// the call only.
struct PresentRequest {
    core::ImageIndex image;
    /// Whether this request waits for the window's turn and for the image's time.
    core::Turn turn;
    /// When vkQueuePresentKHR was called.
    Clock::time_point called;

    // From structures that extend VkPresentInfoKHR.

    /// VkPresentIdKHR or VkPresentId2KHR.
    std::optional<core::PresentId> id = std::nullopt;
    /// VkPresentRegionsKHR: the parts that differ from the swapchain's last image. Empty: all of
    /// the image.
    std::span<const VkRectLayerKHR> damage = {};
    /// VkSwapchainPresentModeInfoKHR: the mode of this request and of later ones. A presenter
    /// always receives the request's mode, one with which the swapchain was created.
    std::optional<VkPresentModeKHR> mode = std::nullopt;
    /// VkSwapchainPresentFenceInfoKHR: signalled when the rendering has ended. May be null.
    VkFence fence = VK_NULL_HANDLE;
    /// The queue of vkQueuePresentKHR, which may have to signal `fence`.
    VkQueue queue = VK_NULL_HANDLE;
    /// VkPresentTimingInfoEXT and VkPresentTimeGOOGLE.
    TimingWish wish = {};

    // Set for the presenter.

    /// The image's rendering. A bridge has attached it to an image that carries fences. For other
    /// images a DeferredPresenter waits until it has ended.
    const sync::Rendering* rendering = nullptr;
    /// The swapchain's record of the request for the times; null if there is none.
    PresentTiming::Request* timed = nullptr;
    /// False: the show() before may still have to come, or may be running in another thread.
    bool last_is_shown = true;
    /// Whether show() may read from the window system.
    bool may_read = true;
    /// Set by prepare(). False with a mode that shares the image, if the window system does not
    /// read what show() sends: then the last show() stands for this one.
    bool may_commit = true;
};

} // namespace fencebridge
