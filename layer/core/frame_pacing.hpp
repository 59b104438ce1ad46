// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <vulkan/vulkan.h>

namespace fencebridge::core {

/// What keeps the frames of a present mode apart.
enum class Pacing {
    none,           ///< each commit replaces the one before: MAILBOX
    barrier,        ///< the compositor queues commits, by wp_fifo_v1: FIFO
    frame_callback, ///< the client waits for wl_surface.frame: FIFO without wp_fifo_v1
};

[[nodiscard]] constexpr Pacing choose_pacing(VkPresentModeKHR mode, bool compositor_has_fifo) {
    if (mode == VK_PRESENT_MODE_MAILBOX_KHR)
        return Pacing::none;
    return compositor_has_fifo ? Pacing::barrier : Pacing::frame_callback;
}

/// Pacing::frame_callback: when the next commit may follow the last. A commit before the last
/// one's frame callback would replace a frame that was never shown, which FIFO forbids. But a
/// compositor sends no callbacks to a surface that nobody sees, and an application that presents
/// to a hidden window must not hang: after `hidden_after` the callback counts as having come.
class FramePacer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::nanoseconds hidden_after = std::chrono::seconds(1);

    /// A frame was committed that asks for a callback.
    void committed(TimePoint now) { pending_since_ = now; }
    /// That frame's callback came.
    void shown() { pending_since_.reset(); }

    /// Until when the next commit waits for the callback; nothing: it need not wait.
    [[nodiscard]] std::optional<TimePoint> wait_until(TimePoint now) const {
        if (!pending_since_ || now >= *pending_since_ + hidden_after)
            return std::nullopt;
        return *pending_since_ + hidden_after;
    }

private:
    std::optional<TimePoint> pending_since_;
};

} // namespace fencebridge::core
