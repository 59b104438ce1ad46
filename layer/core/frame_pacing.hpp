// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// A surface counts as visible for this long after a frame callback was requested.
constexpr std::chrono::nanoseconds hidden_after = std::chrono::seconds(1);
/// The refresh period of 25 Hz, the slowest display allowed for.
constexpr std::chrono::nanoseconds slowest_refresh = std::chrono::milliseconds(40);

/// How a swapchain's commits use wl_surface.frame callbacks.
struct Pace {
    /// How many commits may follow the one that requested a callback before it is answered.
    uint32_t ahead;
    /// One commit in `interval` requests a callback.
    uint32_t interval;
    /// A surface whose callback has not come this long after its request counts as hidden.
    std::chrono::nanoseconds patience;
};

/// Pacing::frame_callback: a commit before the last one's callback would replace a frame that was
/// never shown, which FIFO forbids.
///
/// Pacing::barrier: the compositor keeps frames apart. fifo-v1 does not say how fast it applies the
/// frames of an invisible surface, and asks clients to throttle by frame callbacks as well. One
/// commit in 16 requests a callback; as many commits as there are images may follow before it is
/// answered. A visible surface never waits for the answer: the commit after those needs two of
/// their images to be released. The compositor releases the second only after it applied that
/// commit, and the barrier delays that until the first was shown, when the callback is sent.
///
/// @return nothing where callbacks say nothing about when to commit
[[nodiscard]] constexpr std::optional<Pace> pace_of(Pacing pacing, size_t images) {
    switch (pacing) {
    case Pacing::none:
        break;
    case Pacing::barrier:
        // The compositor may first show a queued frame of every image, one a refresh.
        return Pace{.ahead = static_cast<uint32_t>(images),
                    .interval = 16,
                    .patience = hidden_after + images * slowest_refresh};
    case Pacing::frame_callback:
        return Pace{.ahead = 0, .interval = 1, .patience = hidden_after};
    }
    return std::nullopt;
}

/// How long a commit has to wait for its turn, shorter first.
enum class CommitWait { none, one_refresh, hidden };

/// Whether a commit waits for its turn. In one vkQueuePresentKHR the windows that are seen set the
/// pace: one that is known to be hidden does not wait beside them.
enum class Turn { wait, now };
[[nodiscard]] constexpr Turn choose_turn(CommitWait wait, bool beside_a_seen_one) {
    return wait == CommitWait::hidden && beside_a_seen_one ? Turn::now : Turn::wait;
}

/// When the next commit to a surface may follow the last, by frame callbacks, of which at most one
/// is pending. A compositor sends none to a surface that nobody sees, and an application that
/// presents to it must not hang: when Pace::patience has run out the next commit is made all the
/// same, and requests another callback. Until one comes there is one commit in that time.
class FramePacer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Whether the next commit is to request a callback.
    [[nodiscard]] bool wants_callback(const Pace& pace, TimePoint now) const {
        return pending_since_ ? is_overdue(pace, now) : commits_ == 0 || commits_ >= pace.interval;
    }

    /// A commit was made that requested a callback.
    void requested_callback(TimePoint now) {
        given_up_ = pending_since_.has_value();
        commits_ = given_up_ ? commits_ + 1 : 1;
        pending_since_ = now;
    }
    /// A commit was made that requested none.
    void requested_none() { ++commits_; }
    /// The last callback that was requested came.
    void shown() {
        pending_since_.reset();
        given_up_ = false;
    }

    /// Until when the next commit waits for the callback; nothing: it need not wait.
    [[nodiscard]] std::optional<TimePoint> wait_until(const Pace& pace, TimePoint now) const {
        if (!pending_since_ || commits_ <= pace.ahead || is_overdue(pace, now))
            return std::nullopt;
        return *pending_since_ + pace.patience;
    }
    /// How long that may be expected to be.
    [[nodiscard]] CommitWait expected_wait(const Pace& pace, TimePoint now) const {
        if (!wait_until(pace, now))
            return CommitWait::none;
        return given_up_ ? CommitWait::hidden : CommitWait::one_refresh;
    }

private:
    [[nodiscard]] bool is_overdue(const Pace& pace, TimePoint now) const {
        return now >= *pending_since_ + pace.patience;
    }

    std::optional<TimePoint> pending_since_;
    bool given_up_ = false; ///< the request before the pending one was not answered in time
    /// Since the first request that has not been answered, or the last that has; with that one.
    uint64_t commits_ = 0;
};

} // namespace fencebridge::core
