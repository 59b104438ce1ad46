// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <time.h>

#include "core/presentation_time.hpp"
#include "util/deadline.hpp"
#include "vk/present_timing_headers.hpp"

namespace fencebridge {

/// The system's clock behind core::PresentationClock, for one window system.
class PresentClock {
public:
    /// The monotonic clock.
    PresentClock() = default;
    /// @param id  as clock_gettime(2) takes it
    /// @return nothing if the clock cannot be read, or is none that a display could have
    [[nodiscard]] static std::optional<PresentClock> with_id(uint32_t id);

    [[nodiscard]] core::PresentationTime now() const;

    // Conversions, by the difference that the clocks have now. They drift apart by less than a
    // thousandth, so a time near to now is exact enough.

    [[nodiscard]] core::PresentationTime from_monotonic(Clock::time_point time) const;
    [[nodiscard]] Clock::time_point to_monotonic(core::PresentationTime time) const;

    /// Vulkan's name for the clock, if it has one.
    [[nodiscard]] std::optional<VkTimeDomainKHR> time_domain() const;

private:
    explicit PresentClock(clockid_t id) : id_(id) {}
    [[nodiscard]] std::chrono::nanoseconds ahead_of_monotonic() const;

    clockid_t id_ = CLOCK_MONOTONIC;
};

} // namespace fencebridge
