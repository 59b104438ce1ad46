// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace fencebridge::core {

/// The clock in which a window system says when it has shown an image, and is told when to show
/// one. On Wayland, wp_presentation.clock_id names it. Only its times are a type of their own; the
/// clock is read by the code that knows which one it is.
struct PresentationClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<PresentationClock>;
    static constexpr bool is_steady = false;
};
using PresentationTime = PresentationClock::time_point;

/// A count of nanoseconds of an application's. A count that the type cannot hold, about 292 years,
/// becomes the largest one.
[[nodiscard]] constexpr std::chrono::nanoseconds nanoseconds_of(uint64_t count) {
    constexpr uint64_t largest = std::numeric_limits<int64_t>::max();
    return std::chrono::nanoseconds(static_cast<int64_t>(std::min(count, largest)));
}

/// The time as Vulkan counts it: nanoseconds since the clock's start.
[[nodiscard]] constexpr uint64_t vulkan_time(PresentationTime time) {
    return static_cast<uint64_t>(std::max<int64_t>(time.time_since_epoch().count(), 0));
}

/// The later time, or the latest possible one.
[[nodiscard]] constexpr PresentationTime later(PresentationTime time, std::chrono::nanoseconds by) {
    const auto room = PresentationTime::max() - std::max(time, PresentationTime());
    return time + std::min(by, room);
}

/// Names one present request of a swapchain, in the order of the requests.
enum class PresentSerial : uint64_t {};

} // namespace fencebridge::core
