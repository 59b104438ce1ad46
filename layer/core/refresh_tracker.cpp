// SPDX-License-Identifier: MIT
#include "core/refresh_tracker.hpp"

namespace fencebridge::core {

namespace {

using std::chrono::nanoseconds;

/// Whether two reports are about the same rate. Compositors that measure the refresh report it with
/// some jitter; 59.94 Hz and 60 Hz are 0.1 % apart.
bool is_same_rate(nanoseconds a, nanoseconds b) { return std::chrono::abs(a - b) <= a / 2000; }

enum class Fit { fits, misfits, cannot_tell };

/// Whether an interval between two images is a multiple of the refresh.
Fit compare(nanoseconds interval, nanoseconds refresh) {
    constexpr int64_t longest = 8; // refreshes: the error of `refresh` adds up
    const int64_t cycles = (interval + refresh / 2) / refresh;
    if (interval <= nanoseconds::zero() || cycles > longest)
        return Fit::cannot_tell;
    return std::chrono::abs(interval - cycles * refresh) <= refresh / 20 ? Fit::fits : Fit::misfits;
}

} // namespace

void RefreshTracker::shown(const RefreshReport& report) {
    const auto before = last_shown_;
    const bool measurable = last_by_hardware_ && report.by_hardware;
    last_shown_ = report.shown;
    last_by_hardware_ = report.by_hardware;

    if (report.refresh <= nanoseconds::zero()) {
        set(std::nullopt, RefreshKind::unknown);
    } else if (!duration_ || !is_same_rate(*duration_, report.refresh)) {
        // Another mode or display. The interval before it says nothing about this one.
        set(report.refresh, report.version < 2 ? RefreshKind::fixed : RefreshKind::unknown);
    } else if (report.version >= 2 && before && measurable) {
        measure(report.shown - *before);
    }
}

void RefreshTracker::measure(nanoseconds interval) {
    switch (compare(interval, *duration_)) {
    case Fit::cannot_tell:
        return;
    case Fit::fits:
        misfits_ = 0;
        if (++fitting_ >=
            (kind_ == RefreshKind::variable ? fitting_after_variable : fitting_for_fixed))
            set(duration_, RefreshKind::fixed);
        return;
    case Fit::misfits:
        fitting_ = 0;
        if (++misfits_ >= misfits_for_variable)
            set(duration_, RefreshKind::variable);
        return;
    }
}

void RefreshTracker::set(std::optional<nanoseconds> duration, RefreshKind kind) {
    if (duration != duration_) {
        fitting_ = 0;
        misfits_ = 0;
    }
    if (duration != duration_ || kind != kind_)
        ++changes_;
    duration_ = duration;
    kind_ = kind;
}

} // namespace fencebridge::core
