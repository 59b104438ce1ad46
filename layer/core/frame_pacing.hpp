// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

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
/// The same of the fastest display, at 250 Hz, and of one whose refresh is not known.
constexpr std::chrono::nanoseconds fastest_refresh = std::chrono::milliseconds(4);
constexpr std::chrono::nanoseconds usual_refresh = std::chrono::microseconds(16'667);

/// The farthest time ahead until which an image may be held back; see is_too_far().
constexpr std::chrono::nanoseconds farthest_target = std::chrono::minutes(1);

/// How a swapchain's commits use wl_surface.frame callbacks.
struct Pace {
    /// While a callback is pending, this many commits may follow the one that requested it.
    uint32_t ahead;
    /// One commit in `interval` requests a callback.
    uint32_t interval;
    /// A surface is unseen if a commit waits for a callback that has not come this long after the
    /// request: see FramePacer.
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

/// What a commit is expected to wait for.
enum class CommitWait {
    none,
    one_refresh,
    hidden,     ///< the window is known to be hidden
    until_time, ///< an image is not to be shown before a time
};
/// That wait, ordered as vkQueuePresentKHR presents to several windows.
struct ExpectedWait {
    CommitWait reason = CommitWait::none;
    std::chrono::steady_clock::time_point until = {}; ///< used with CommitWait::until_time

    auto operator<=>(const ExpectedWait&) const = default;
};

/// Whether a commit waits for its turn. A window that is known to be hidden does not wait if the
/// same vkQueuePresentKHR presents to a visible one.
enum class Turn { wait, now };
[[nodiscard]] constexpr Turn choose_turn(CommitWait wait, bool with_a_visible_one) {
    return wait == CommitWait::hidden && with_a_visible_one ? Turn::now : Turn::wait;
}

/// Decides by frame callbacks when the next commit to a surface may follow the last. At most one
/// callback is pending.
///
/// A surface is seen or unseen. It becomes unseen when a commit has waited for a callback until
/// Pace::callback_timeout after the request: a compositor sends no callbacks to a surface that is
/// not visible, and an application that presents to that surface must not hang. It is seen again
/// as soon as a callback comes.
///
/// Each commit to an unseen surface waits until one refresh has passed since the last. Nobody sees
/// its frames, so they may replace each other. The compositor may apply commits to such a surface
/// at once, or never wait for their barriers: this is what throttles the application then.
///
/// A commit may have a time before which it is not shown (commit-timing-v1), and later commits are
/// shown after it. So its callback, and theirs, are expected from that time on, or from
/// farthest_target after the request if that is earlier: vkQueuePresentKHR has to return in finite
/// time.
///
/// Within a swapchain the number of its images limits how many frames are queued. A new swapchain
/// has images of its own, while frames of the last one may still be queued. So its first commit
/// waits for a callback that is pending, and requests another one, for which its second commit
/// waits.
class FramePacer {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Milliseconds = std::chrono::duration<uint32_t, std::milli>;

    /// The next commit is the first one of a swapchain.
    void begin_swapchain() { is_first_ = commits_ > 0; }

    /// Whether the next commit is to request a callback. An unseen surface requests another one
    /// after Pace::callback_timeout, for the compositor may have dropped the last, and then after
    /// twice the time each: a client cannot take back a request that is not answered.
    [[nodiscard]] bool wants_callback(const Pace& pace, TimePoint now) const {
        if (pending_since_)
            return unseen_ && now >= *pending_since_ + timeouts_to_next_ * pace.callback_timeout;
        return commits_ == 0 || is_first_ || commits_ >= pace.interval;
    }

    /// A commit with a request for a callback was made.
    /// @param not_before  the commit is not shown before this time
    void requested_callback(TimePoint now, TimePoint not_before = {}) {
        held_until_ = std::max(held_until_, not_before);
        timeouts_to_next_ = pending_since_ ? std::min(2 * timeouts_to_next_, most_timeouts) : 1;
        shown_between_ = pending_since_ ? 0 : commits_;
        commits_ = 1;
        after_first_ = std::exchange(is_first_, false);
        pending_since_ = std::clamp(held_until_, now, now + farthest_target);
        last_commit_ = now;
    }
    /// A commit without a request was made.
    void requested_none(TimePoint now, TimePoint not_before = {}) {
        held_until_ = std::max(held_until_, not_before);
        ++commits_;
        is_first_ = false;
        last_commit_ = now;
    }
    /// The last requested callback came.
    /// @param shown  the argument of wl_callback.done: milliseconds of the compositor's clock
    void callback_came(Milliseconds shown) {
        if (last_shown_ && !unseen_)
            measure_refresh(shown - *last_shown_);
        last_shown_ = shown;
        pending_since_.reset();
        after_first_ = false;
        if (std::exchange(unseen_, false))
            commits_ = 0; // not all of them were shown
    }
    /// A commit has waited for the callback until turn(), and after that the events that have
    /// arrived have been read.
    void waited_in_vain() { unseen_ = true; }

    [[nodiscard]] bool is_unseen() const { return unseen_; }

    /// Until when the next commit waits for the callback, possibly in the past; nothing: the commit
    /// need not wait.
    [[nodiscard]] std::optional<TimePoint> turn(const Pace& pace) const {
        if (!pending_since_)
            return std::nullopt;
        if (unseen_)
            return last_commit_ + refresh_.value_or(usual_refresh);
        const uint32_t ahead = is_first_ || after_first_ ? 0 : pace.ahead;
        return commits_ > ahead ? std::optional(*pending_since_ + pace.callback_timeout)
                                : std::nullopt;
    }
    /// What the next commit is expected to wait for.
    [[nodiscard]] ExpectedWait estimate_wait(const Pace& pace, TimePoint now) const {
        if (!turn(pace))
            return {};
        if (unseen_)
            return {CommitWait::hidden};
        if (*pending_since_ > now + refresh_.value_or(usual_refresh))
            return {CommitWait::until_time, *pending_since_};
        return {CommitWait::one_refresh};
    }

private:
    /// Each commit between two requests is shown for at least one refresh, and a callback comes
    /// when its commit is shown. So a refresh is at most as long as the time for one commit.
    void measure_refresh(std::chrono::nanoseconds between_callbacks) {
        if (shown_between_ == 0 || between_callbacks <= std::chrono::nanoseconds::zero())
            return;
        const auto measured =
            std::clamp(between_callbacks / shown_between_, fastest_refresh, slowest_refresh);
        refresh_ = std::min(measured, refresh_.value_or(slowest_refresh));
    }

    static constexpr uint32_t most_timeouts = 64; ///< about a minute

    std::optional<TimePoint> pending_since_; ///< the request, or later if its commit is held back
    uint32_t timeouts_to_next_ = 1; ///< Pace::callback_timeout from one request to the next
    bool unseen_ = false;
    bool is_first_ = false;    ///< the next commit, of a swapchain that follows another one
    bool after_first_ = false; ///< the pending callback was requested by such a commit
    TimePoint last_commit_;
    TimePoint held_until_; ///< the latest time of a commit
    /// Commits since the last request. The requesting commit counts.
    uint32_t commits_ = 0;
    /// For measure_refresh().
    uint32_t shown_between_ = 0; ///< commits between the last two requests; 0: some were not shown
    std::optional<Milliseconds> last_shown_;
    std::optional<std::chrono::nanoseconds> refresh_; ///< the shortest that was measured
};

} // namespace fencebridge::core
