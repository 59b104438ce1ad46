// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>
#include <vulkan/vulkan.h>

#include "core/commit_plan.hpp"
#include "core/image_ring.hpp"
#include "core/presentation_time.hpp"

namespace fencebridge::core {

/// The refreshes of a display that exists only as a clock: one every `period`, from `start` on.
class RefreshGrid {
public:
    /// @param period  positive
    RefreshGrid(PresentationTime start, std::chrono::nanoseconds period) :
        start_(start), period_(period) {}

    [[nodiscard]] std::chrono::nanoseconds period() const { return period_; }
    /// The first refresh at this time or later.
    [[nodiscard]] PresentationTime first_from(PresentationTime time) const {
        return first_after(time - std::chrono::nanoseconds(1));
    }
    /// The first refresh later than this time.
    [[nodiscard]] PresentationTime first_after(PresentationTime time) const {
        if (time < start_)
            return start_;
        return later(time - (time - start_) % period_, period_);
    }

private:
    PresentationTime start_;
    std::chrono::nanoseconds period_;
};

/// The images of one swapchain on a display that exists only as a clock: when each of them is shown
/// and released. Not thread-safe: kept inside a lock.
///
/// An image is shown at a refresh after its present, and not before its target time. It is released
/// when the next image is shown. By present mode:
///
/// - FIFO: at a refresh after that of the image before.
/// - FIFO_RELAXED: the same. But if a refresh has passed since the last image was shown, and no
///   image is queued, the image is shown at once.
/// - FIFO_LATEST_READY: several images may be due at one refresh. The last one is shown. The others
///   are released at that refresh.
/// - MAILBOX, and modes that share the image: as FIFO; but the next image, of any mode, replaces an
///   image that waits for its refresh. The replaced image is released at once.
/// - IMMEDIATE: at once; or if images of FIFO modes are queued, at the refresh after the last of
///   them. The next image, of any mode, replaces one that waits.
///
/// So if the mode changes, queued images of the FIFO modes are shown, and those of the others are
/// replaced (VkSwapchainPresentModeInfoKHR).
///
/// The rendering of an image may still run at its refresh. In the FIFO modes, the image is then
/// shown at the first refresh at which the rendering has ended, and the images behind it later as
/// well. In the other modes, the image counts as shown: each image replaces one that waits, so if
/// images waited for their rendering, possibly none would ever be shown.
///
/// Nothing happens by itself: advance() finds out what has happened until now. An example with FIFO
/// and a period of 10: images 0 and 1 are presented at time 3. Image 0 is shown at 10, image 1 at
/// 20. At time 25, advance() reports that image 0 was shown at 10, and that image 1 was shown at
/// 20, which released image 0.
class RefreshQueue {
public:
    struct Frame {
        ImageIndex image;
        VkPresentModeKHR mode;
        PresentSerial serial;             ///< names the frame to the caller
        PresentationTime not_before = {}; ///< its target time
    };
    struct Event {
        Frame frame;
        bool shown;                         ///< false: it never will be
        PresentationTime at;                ///< it was shown, or another image took its place
        std::optional<ImageIndex> released; ///< by this event
    };

    /// Allocates the memory for all images: queue() does not run out of it.
    RefreshQueue(const RefreshGrid& grid, size_t images) : grid_(grid) {
        waiting_.reserve(images + 1);
    }

    [[nodiscard]] const RefreshGrid& grid() const { return grid_; }

    /// Reports what has happened until now, in the order of its times.
    /// @param ended   ended(serial): when the rendering of this frame ended; nothing: it still runs
    /// @param report  called with each Event
    template <class Ended, class Report>
    void advance(PresentationTime now, Ended&& ended, Report&& report) {
        while (is_due(now, ended)) {
            const Waiting next = waiting_.front();
            waiting_.erase(waiting_.begin());
            const bool is_passed_over = next.frame.mode == present_mode_fifo_latest_ready &&
                                        follows_at_once(next.frame) && is_due(next.due, ended);
            if (is_passed_over)
                report(Event{next.frame, false, next.due, next.frame.image});
            else
                report(show(next));
        }
    }

    /// An image is presented. The caller has called advance() with the same time, and calls it
    /// again afterwards: the image may be shown at once.
    /// @param renders  its rendering may still run
    /// @return when it will be shown, as far as is known
    template <class Report>
    PresentationTime queue(const Frame& frame, bool renders, PresentationTime now,
                           Report&& report) {
        if (!waiting_.empty() && !is_queued_mode(waiting_.back().frame.mode)) {
            const Frame replaced = waiting_.back().frame;
            waiting_.pop_back();
            report(Event{replaced, false, now, released_by(replaced, frame)});
        }
        waiting_.push_back({.frame = frame,
                            .due = due(frame, now),
                            .renders = renders && is_queued_mode(frame.mode)});
        return waiting_.back().due;
    }

    /// The first image that waits, as of the last advance().
    struct Next {
        PresentSerial serial;
        PresentationTime due;
        bool renders; ///< if `due` has passed, it waits for its rendering
    };
    [[nodiscard]] std::optional<Next> next() const {
        if (waiting_.empty())
            return std::nullopt;
        const Waiting& first = waiting_.front();
        return Next{first.frame.serial, first.due, first.renders};
    }

private:
    struct Waiting {
        Frame frame;
        PresentationTime due; ///< if the renderings have ended by then
        bool renders;         ///< as far as is known
    };

    /// Whether later images do not replace one that waits.
    static bool is_queued_mode(VkPresentModeKHR mode) {
        return shows_every_image(mode) || mode == present_mode_fifo_latest_ready;
    }
    /// Whether the next waiting image may take the place of this one at the same refresh.
    [[nodiscard]] bool follows_at_once(const Frame& frame) const {
        return !waiting_.empty() && waiting_.front().frame.mode == frame.mode;
    }

    /// When an image is due that is behind `before`, at the earliest.
    [[nodiscard]] PresentationTime after(const Waiting& before, const Frame& frame) const {
        const bool at_once = frame.mode == present_mode_fifo_latest_ready &&
                             before.frame.mode == present_mode_fifo_latest_ready;
        return at_once ? before.due : grid_.first_after(before.due);
    }

    [[nodiscard]] PresentationTime due(const Frame& frame, PresentationTime now) const {
        if (!waiting_.empty())
            return std::max({grid_.first_after(now), grid_.first_from(frame.not_before),
                             after(waiting_.back(), frame)});
        const bool is_late = frame.mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR && last_shown_ &&
                             frame.not_before <= now && grid_.first_after(*last_shown_) <= now;
        if (is_late || frame.mode == VK_PRESENT_MODE_IMMEDIATE_KHR)
            return now;
        return std::max(grid_.first_after(now), grid_.first_from(frame.not_before));
    }

    template <class Ended>
    bool is_due(PresentationTime now, Ended& ended) {
        if (waiting_.empty() || waiting_.front().due > now)
            return false;
        Waiting& next = waiting_.front();
        if (!next.renders)
            return true;
        const std::optional<PresentationTime> end = ended(next.frame.serial);
        if (!end)
            return false;
        next.renders = false;
        if (*end > next.due) {
            next.due =
                next.frame.mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR ? *end : grid_.first_from(*end);
            for (size_t i = 1; i < waiting_.size(); ++i)
                waiting_[i].due =
                    std::max(waiting_[i].due, after(waiting_[i - 1], waiting_[i].frame));
        }
        return next.due <= now;
    }

    Event show(const Waiting& next) {
        const auto before = std::exchange(on_screen_, next.frame.image);
        last_shown_ = next.due;
        return {next.frame, true, next.due, before == next.frame.image ? std::nullopt : before};
    }

    /// A replaced image is released, unless it is shared with the application: then it is also on
    /// screen, or presented again.
    [[nodiscard]] std::optional<ImageIndex> released_by(const Frame& replaced,
                                                        const Frame& by) const {
        const bool is_used = replaced.image == by.image || on_screen_ == replaced.image;
        return is_used ? std::nullopt : std::optional(replaced.image);
    }

    RefreshGrid grid_;
    std::vector<Waiting> waiting_; ///< in the order of their presents
    std::optional<ImageIndex> on_screen_;
    std::optional<PresentationTime> last_shown_;
};

} // namespace fencebridge::core
