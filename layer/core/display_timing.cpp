// SPDX-License-Identifier: MIT
#include "core/display_timing.hpp"

#include <algorithm>

namespace fencebridge::core {

namespace {

using std::chrono::nanoseconds;

/// How much earlier an image could have been shown without its desired time: some refreshes. A
/// window system is expected to need an image one refresh earlier, to compose its picture.
/// @param actual    when it was shown
/// @param ready     when it was queued, and its rendering had ended
/// @param previous  when the image before it was shown
nanoseconds delay_by_target(PresentationTime actual, PresentationTime ready,
                            std::optional<PresentationTime> previous, PresentationTime desired,
                            nanoseconds refresh) {
    // The desired time allowed the refresh before, at which the image was not shown. So something
    // else has delayed it.
    if (actual - refresh >= desired)
        return nanoseconds(0);
    const PresentationTime possible = later(std::max(ready, previous.value_or(ready)), refresh);
    return possible >= actual ? nanoseconds(0) : (actual - possible) / refresh * refresh;
}

} // namespace

void DisplayTimings::add(const DisplayTimingQuery& query) {
    if (entries_.size() == most_kept)
        entries_.erase(entries_.begin());
    entries_.push_back({.query = query, .ready = {}, .shown = {}});
}

void DisplayTimings::remove(PresentSerial serial) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.query.serial == serial; });
}

void DisplayTimings::shown(PresentSerial serial, PresentationTime at, const Refresh& refresh) {
    for (Entry& entry : entries_) {
        if (entry.query.serial == serial)
            entry.shown = {at, last_shown_, refresh};
    }
    last_shown_ = at;
}

void DisplayTimings::rendered(PresentSerial serial, std::optional<PresentationTime> at) {
    for (Entry& entry : entries_) {
        if (entry.query.serial == serial)
            entry.ready = std::max(entry.query.queued, at.value_or(entry.query.queued));
    }
}

size_t DisplayTimings::count() const {
    return static_cast<size_t>(std::ranges::count_if(entries_, is_available));
}

DisplayTiming DisplayTimings::result(const Entry& entry) {
    const auto& [actual, previous, refresh] = *entry.shown;
    PresentationTime earliest = actual;
    // "The value of earliestPresentTime must be the same as actualPresentTime" (IMMEDIATE).
    if (refresh && *refresh > nanoseconds(0) && entry.query.desired && !entry.query.immediate)
        earliest -= delay_by_target(actual, *entry.ready, previous, *entry.query.desired, *refresh);
    const nanoseconds composing =
        entry.query.immediate ? nanoseconds(0) : refresh.value_or(nanoseconds(0));
    return {.query = entry.query,
            .actual = actual,
            .earliest = earliest,
            .margin = std::max(earliest - *entry.ready - composing, nanoseconds(0))};
}

std::vector<DisplayTiming> DisplayTimings::take(size_t most) {
    std::vector<DisplayTiming> results;
    for (const Entry& entry : entries_) {
        if (results.size() < most && is_available(entry))
            results.push_back(result(entry));
    }
    for (const DisplayTiming& taken : results)
        remove(taken.query.serial);
    return results;
}

} // namespace fencebridge::core
