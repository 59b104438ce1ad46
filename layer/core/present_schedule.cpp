// SPDX-License-Identifier: MIT
#include "core/present_schedule.hpp"

#include <algorithm>

#include "core/frame_pacing.hpp"

namespace fencebridge::core {

bool is_too_far(const PresentTarget& target, PresentationTime now) {
    const auto ahead = target.from == PresentTarget::From::clock
                           ? PresentationTime(target.time) - now
                           : target.time;
    return ahead > farthest_target;
}

PresentationTime time_to_queue(PresentationTime target, std::optional<PresentationTime> last_shown,
                               std::optional<std::chrono::nanoseconds> refresh) {
    const auto cycle = refresh.value_or(usual_refresh);
    if (!last_shown || cycle <= std::chrono::nanoseconds(0) || target <= *last_shown)
        return target - cycle;
    // The last refresh before the target.
    return *last_shown + (target - *last_shown - std::chrono::nanoseconds(1)) / cycle * cycle;
}

std::optional<PresentationTime> PresentSchedule::queue(PresentSerial serial,
                                                       const std::optional<PresentTarget>& target,
                                                       PresentationTime now,
                                                       const Refresh& refresh) {
    std::optional<PresentationTime> wanted;
    if (target && target->from == PresentTarget::From::clock)
        wanted = PresentationTime(target->time);
    else if (target)
        // "If the swapchain has never been used to present an image, the provided targetTime is
        // ignored" (VK_PRESENT_TIMING_INFO_PRESENT_AT_RELATIVE_TIME_BIT_EXT).
        wanted = expect_last(refresh).transform(
            [&](PresentationTime last) { return later(last, target->time); });
    if (queued_.size() == most_queued) {
        last_shown_ =
            std::max(queued_.front().not_before, last_shown_.value_or(PresentationTime()));
        queued_.erase(queued_.begin());
    }
    queued_.push_back({serial, std::max(now, wanted.value_or(now))});
    if (!wanted || !target->nearest_cycle || !refresh)
        return wanted;
    // The cycle that has the target in its first half starts at most half a refresh before it.
    return std::max(*wanted - *refresh / 2, PresentationTime());
}

/// When the last image is expected to be shown, or was; nothing if there is none.
std::optional<PresentationTime> PresentSchedule::expect_last(const Refresh& refresh) const {
    std::optional<PresentationTime> last = last_shown_;
    for (const Queued& next : queued_)
        last = last ? std::max(later(*last, refresh.value_or(std::chrono::nanoseconds(0))),
                               next.not_before)
                    : next.not_before;
    return last;
}

void PresentSchedule::expect(PresentSerial serial, PresentationTime at) {
    for (Queued& each : queued_) {
        if (each.serial == serial)
            each.not_before = std::max(each.not_before, at);
    }
}

void PresentSchedule::shown(PresentSerial serial, PresentationTime at) {
    // Images are shown in their order. What is older has been shown or discarded.
    std::erase_if(queued_, [&](const Queued& each) { return each.serial <= serial; });
    last_shown_ = std::max(at, last_shown_.value_or(at));
}

void PresentSchedule::discarded(PresentSerial serial) {
    std::erase_if(queued_, [&](const Queued& each) { return each.serial == serial; });
}

} // namespace fencebridge::core
