// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace fencebridge::core {

/// What keeps frames from replacing each other before they are shown. core/commit_plan.hpp chooses
/// it for each commit.
enum class Pacing {
    none,           ///< nothing; the commit replaces the one before
    barrier,        ///< wp_fifo_v1, with which the compositor queues commits
    frame_callback, ///< a wait for wl_surface.frame before the commit
};

/// The shortest Pace::callback_timeout; see pace_of().
constexpr std::chrono::nanoseconds hidden_after = std::chrono::seconds(1);
/// The refresh period of the slowest display that is expected, at 25 Hz.
constexpr std::chrono::nanoseconds slowest_refresh = std::chrono::milliseconds(40);

/// How a swapchain's commits use wl_surface.frame callbacks.
struct Pace {
    /// While a callback is pending, this many commits may follow the one that requested it.
    uint32_t ahead;
    /// One commit in `interval` requests a callback.
    uint32_t interval;
    /// A surface counts as hidden when its callback has not come this long after the request.
    std::chrono::nanoseconds callback_timeout;
};

/// Pacing::frame_callback: the callback of a commit comes once its frame is shown. A next commit
/// before the callback could replace a frame that was never shown, which FIFO forbids.
///
/// Pacing::barrier: the compositor keeps frames apart. fifo-v1 leaves open how fast a compositor
/// applies the frames of an invisible surface, and asks clients to throttle by frame callbacks as
/// well. One commit in 16 requests a callback; as many commits as there are images, n, may follow
/// before the callback comes.
///
/// A visible surface never waits for the callback. Let commit 0 request it. Commit n+1 is the first
/// that would wait. The n+1 commits 1 to n+1 use n images, so one image is used twice. The
/// compositor released that image in between, so it has applied a commit later than commit 0. The
/// barrier of commit 0 allows this only after commit 0 was shown, and then the callback is sent.
///
/// @return nothing for a pacing that uses no callbacks
[[nodiscard]] constexpr std::optional<Pace> pace_of(Pacing pacing, size_t images) {
    switch (pacing) {
    case Pacing::none:
        break;
    case Pacing::barrier:
        // Before it sends the callback, the compositor may show one queued frame for each image,
        // one per refresh.
        return Pace{.ahead = static_cast<uint32_t>(images),
                    .interval = 16,
                    .callback_timeout = hidden_after + images * slowest_refresh};
    case Pacing::frame_callback:
        return Pace{.ahead = 0, .interval = 1, .callback_timeout = hidden_after};
    }
    return std::nullopt;
}

/// How long a commit is expected to wait for its turn, in ascending order.
enum class CommitWait { none, one_refresh, hidden };

/// Whether a commit waits for its turn. A window that is known to be hidden does not wait if the
/// same vkQueuePresentKHR presents to a visible one.
enum class Turn { wait, now };
[[nodiscard]] constexpr Turn choose_turn(CommitWait wait, bool with_a_visible_one) {
    return wait == CommitWait::hidden && with_a_visible_one ? Turn::now : Turn::wait;
}

/// Decides by frame callbacks when the next commit to a surface may follow the last. At most one
/// callback is pending. A compositor sends no callbacks to a surface that is not visible, and an
/// application that presents to that surface must not hang: after Pace::callback_timeout the next
/// commit is made without the callback, and requests another one. Once Pace::ahead commits have
/// followed the first request, at most one commit that waits is made in each such period, until a
/// callback comes.
class FramePacer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Whether the next commit is to request a callback.
    [[nodiscard]] bool wants_callback(const Pace& pace, TimePoint now) const {
        return pending_since_ ? is_overdue(pace, now) : commits_ == 0 || commits_ >= pace.interval;
    }

    /// A commit with a request for a callback was made.
    void requested_callback(TimePoint now) {
        given_up_ = pending_since_.has_value();
        commits_ = given_up_ ? commits_ + 1 : 1;
        pending_since_ = now;
    }
    /// A commit without a request was made.
    void requested_none() { ++commits_; }
    /// The last requested callback came.
    void callback_came() {
        pending_since_.reset();
        given_up_ = false;
    }

    /// Until when the next commit waits for the callback; nothing: the commit need not wait.
    [[nodiscard]] std::optional<TimePoint> callback_deadline(const Pace& pace,
                                                             TimePoint now) const {
        if (!pending_since_ || commits_ <= pace.ahead || is_overdue(pace, now))
            return std::nullopt;
        return *pending_since_ + pace.callback_timeout;
    }
    /// How long the next commit is expected to wait.
    [[nodiscard]] CommitWait estimate_wait(const Pace& pace, TimePoint now) const {
        if (!callback_deadline(pace, now))
            return CommitWait::none;
        return given_up_ ? CommitWait::hidden : CommitWait::one_refresh;
    }

private:
    [[nodiscard]] bool is_overdue(const Pace& pace, TimePoint now) const {
        return now >= *pending_since_ + pace.callback_timeout;
    }

    std::optional<TimePoint> pending_since_;
    /// The callback before the pending one did not come in time.
    bool given_up_ = false;
    /// Commits since the last request that was made while no callback was pending. The requesting
    /// commit counts. A request that replaces an overdue one does not restart the count.
    uint64_t commits_ = 0;
};

} // namespace fencebridge::core
