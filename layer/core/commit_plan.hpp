// SPDX-License-Identifier: MIT
#pragma once

#include <vector>
#include <vulkan/vulkan.h>

#include "core/frame_pacing.hpp"
#include "core/surface_limits.hpp"

namespace fencebridge::core {

/// VK_PRESENT_MODE_FIFO_LATEST_READY_KHR, which older headers lack.
inline constexpr auto present_mode_fifo_latest_ready = static_cast<VkPresentModeKHR>(1000361000);

/// The protocols of a compositor on which present modes depend.
struct PresentProtocols {
    bool fifo = false;    ///< fifo-v1
    bool tearing = false; ///< tearing-control-v1
};

/// The present modes that the layer offers with these protocols: FIFO first, modes that share the
/// image with the window system last.
///
/// FIFO_RELAXED needs both. fifo-v1 lets a frame that may tear become active between two refreshes
/// only if none became active at the last one, which is FIFO_RELAXED. Without fifo-v1, the layer
/// commits a frame after the callback of the last. With the hint, every such frame could tear.
[[nodiscard]] inline std::vector<PresentModeLimits> offered_modes(PresentProtocols protocols) {
    std::vector<PresentModeLimits> modes = {
        // One image is on screen, and the application draws to the other. It waits for one refresh
        // if it is ready early, and can draw no further frame ahead.
        {VK_PRESENT_MODE_FIFO_KHR, 2},
        // One image is on screen, one is latched for the next refresh, one may be waiting to
        // replace that, and the application draws to one.
        {VK_PRESENT_MODE_MAILBOX_KHR, 4},
    };
    // One image is on screen, one replaces it, and the application draws to one.
    if (protocols.tearing)
        modes.push_back({VK_PRESENT_MODE_IMMEDIATE_KHR, 3});
    if (protocols.tearing && protocols.fifo)
        modes.push_back({VK_PRESENT_MODE_FIFO_RELAXED_KHR, 2});
    // One image is on screen, one is latched for the next refresh, and the application draws to
    // one.
    if (protocols.fifo)
        modes.push_back({present_mode_fifo_latest_ready, 3});
    // The application draws to the one image while the window system reads it. A compositor looks
    // at an image when it is committed, so there is no
    // VK_PRESENT_MODE_SHARED_CONTINUOUS_REFRESH_KHR.
    modes.push_back({VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR, 1});
    return modes;
}

/// What a commit carries for its present mode, and what it waits for.
struct CommitPlan {
    /// What throttles the commit by frame callbacks: see pace_of() and FramePacer.
    Pacing throttle = Pacing::none;
    bool requests_callbacks = false; ///< those that pace_of() demands
    bool waits_for_barrier = false;  ///< wp_fifo_v1.wait_barrier
    bool sets_barrier = false;       ///< wp_fifo_v1.set_barrier
    bool may_tear = false;           ///< the presentation hint of wp_tearing_control_v1 is `async`

    bool operator==(const CommitPlan&) const = default;
};

/// Whether each image of a present mode is shown for at least one refresh.
[[nodiscard]] constexpr bool shows_every_image(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_FIFO_KHR || mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR;
}

/// VkSwapchainPresentModeInfoKHR defines each transition. Images of the FIFO modes that are queued
/// are presented before an image of the new mode. Images of MAILBOX and IMMEDIATE are replaced.
///
/// A commit of FIFO_LATEST_READY sets the barrier, and does not wait for that of another one: the
/// compositor applies those that are ready, and shows the last. A commit of another mode waits for
/// that last one to be shown. Without fifo-v1, it replaces that one.
///
/// @param last       of the last commit to this surface, by whatever swapchain. The first commit
///                   has nothing to wait for, as after MAILBOX
/// @param protocols  with which offered_modes() need not have the mode: nothing tears without
///                   tearing-control-v1, and FIFO_RELAXED without fifo-v1 is FIFO
[[nodiscard]] constexpr CommitPlan plan_commit(VkPresentModeKHR last, VkPresentModeKHR mode,
                                               PresentProtocols protocols) {
    const bool relaxed = mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR;
    const bool queued = shows_every_image(mode);
    const bool after_queued = shows_every_image(last);
    const bool latest_ready = mode == present_mode_fifo_latest_ready;
    const bool after_latest_ready = last == present_mode_fifo_latest_ready;

    CommitPlan plan = {.may_tear = protocols.tearing && (mode == VK_PRESENT_MODE_IMMEDIATE_KHR ||
                                                         (relaxed && protocols.fifo))};
    if (protocols.fifo) {
        plan.throttle = queued ? Pacing::barrier : Pacing::none;
        plan.waits_for_barrier = queued || after_queued || (after_latest_ready && !latest_ready);
        plan.sets_barrier = queued || latest_ready;
    } else {
        plan.throttle = queued || after_queued ? Pacing::frame_callback : Pacing::none;
    }
    plan.requests_callbacks = queued;
    return plan;
}

} // namespace fencebridge::core
