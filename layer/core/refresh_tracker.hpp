// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/presentation_time.hpp"

namespace fencebridge::core {

/// Whether a display refreshes at a constant rate.
enum class RefreshKind { unknown, fixed, variable };

/// What a compositor says of the display's refresh when it has shown an image
/// (wp_presentation_feedback.presented).
struct RefreshReport {
    PresentationTime shown;
    std::chrono::nanoseconds refresh; ///< until the next refresh; 0: the compositor cannot say
    /// Of wp_presentation. Version 1 sets `refresh` to 0 if the rate is not constant. Later ones
    /// set it to a rate that the compositor chooses.
    uint32_t version;
    /// The display hardware was synchronised to its refresh, and measured the time of this one
    /// (`vsync` and `hw_clock`).
    bool by_hardware;
};

/// Follows the refresh of the display that shows a swapchain. Not thread-safe: kept inside a lock.
///
/// Version 1 of wp_presentation says when the rate is constant. For later versions, the times at
/// which images were shown decide: with a constant rate, they are multiples of the refresh apart.
class RefreshTracker {
public:
    /// An image was shown. Reports are expected in the order of their times.
    void shown(const RefreshReport& report);

    /// The length of a refresh cycle; the shortest one if the rate is variable. Nothing if it is
    /// not known.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> duration() const { return duration_; }
    [[nodiscard]] RefreshKind kind() const { return kind_; }
    /// Grows whenever duration() or kind() changes.
    [[nodiscard]] uint64_t changes() const { return changes_; }
    /// Whether there has been any report.
    [[nodiscard]] bool has_reports() const { return last_shown_.has_value(); }

    /// So many intervals in a row that fit decide for a constant rate. At a variable rate,
    /// intervals fit as long as the application keeps up with the fastest one.
    static constexpr uint32_t fitting_for_fixed = 16;
    /// The same after a variable rate: the display most likely has one still.
    static constexpr uint32_t fitting_after_variable = 256;
    /// So many intervals in a row that do not fit decide for a variable rate. One alone may be due
    /// to a change of the mode or of the display.
    static constexpr uint32_t misfits_for_variable = 3;

private:
    void measure(std::chrono::nanoseconds interval);
    void set(std::optional<std::chrono::nanoseconds> duration, RefreshKind kind);

    std::optional<std::chrono::nanoseconds> duration_;
    RefreshKind kind_ = RefreshKind::unknown;
    uint64_t changes_ = 0;

    std::optional<PresentationTime> last_shown_;
    bool last_by_hardware_ = false;
    // Intervals in a row.
    uint32_t fitting_ = 0;
    uint32_t misfits_ = 0;
};

} // namespace fencebridge::core
