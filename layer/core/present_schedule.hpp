// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "core/presentation_time.hpp"

namespace fencebridge::core {

/// The time at which an application wants an image to be shown (VkPresentTimingInfoEXT,
/// VkPresentTimeGOOGLE).
struct PresentTarget {
    enum class From {
        clock,      ///< `time` is one of the presentation clock
        last_image, ///< `time` is how long the image before is to be shown, at least
    };
    From from;
    std::chrono::nanoseconds time;
    /// VK_PRESENT_TIMING_INFO_PRESENT_AT_NEAREST_REFRESH_CYCLE_BIT_EXT: the image may be shown at
    /// the start of the refresh cycle that has the target in its first half.
    bool nearest_cycle = false;
};

/// Whether a target is so far ahead that it is ignored: most likely it is a time of another clock.
/// CLOCK_REALTIME is decades ahead of CLOCK_MONOTONIC. A window system shows the images of a window
/// in their order, and no request takes a target back. So nothing would be shown until then.
[[nodiscard]] bool is_too_far(const PresentTarget& target, PresentationTime now);

/// When to queue an image that is not to be shown before `target`, for a window system that cannot
/// be told the time: as soon as no refresh is left before it.
/// @param last_shown, refresh  of the display, as far as they are known
[[nodiscard]] PresentationTime time_to_queue(PresentationTime target,
                                             std::optional<PresentationTime> last_shown,
                                             std::optional<std::chrono::nanoseconds> refresh);

/// Turns the targets of a swapchain's present requests into the times that a window system
/// understands: not to show an image before. Not thread-safe: kept inside a lock.
///
/// The window system is told when an image is queued, and the image before may not have been shown
/// then. A target relative to that image therefore starts from the time when it is expected: at its
/// own target, one refresh after the image before it, and not before it was queued. What the window
/// system reports of an image replaces the expectations. So a late image delays the targets of
/// those that are queued after the report.
class PresentSchedule {
public:
    using Refresh = std::optional<std::chrono::nanoseconds>;

    /// Allocates the memory for all requests: queue() does not run out of it.
    PresentSchedule() { queued_.reserve(most_queued); }

    /// An image is queued. Requests are expected in the order of their serials.
    /// @param now      of the presentation clock
    /// @param refresh  of the display, if its rate is not known to be variable
    /// @return the earliest time to show it; nothing: as soon as possible
    std::optional<PresentationTime> queue(PresentSerial serial,
                                          const std::optional<PresentTarget>& target,
                                          PresentationTime now, const Refresh& refresh);
    /// The window system will show the image of a request then, and not before.
    void expect(PresentSerial serial, PresentationTime at);
    /// The image of a request was shown.
    void shown(PresentSerial serial, PresentationTime at);
    /// The image of a request will not be shown.
    void discarded(PresentSerial serial);

    /// When the last image was shown.
    [[nodiscard]] std::optional<PresentationTime> last_shown() const { return last_shown_; }

    /// So many requests at most are remembered while nothing is reported of them.
    static constexpr size_t most_queued = 64;

private:
    struct Queued {
        PresentSerial serial;
        PresentationTime not_before; ///< it was queued, its target, and expect()
    };
    std::optional<PresentationTime> expect_last(const Refresh& refresh) const;

    std::optional<PresentationTime> last_shown_;
    std::vector<Queued> queued_; ///< after that one
};

} // namespace fencebridge::core
