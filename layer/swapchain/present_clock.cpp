// SPDX-License-Identifier: MIT
#include "swapchain/present_clock.hpp"

namespace fencebridge {

namespace {

using std::chrono::nanoseconds;

nanoseconds read(clockid_t id) {
    timespec time = {};
    ::clock_gettime(id, &time);
    return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// The sum, or the limit that it would exceed.
nanoseconds add(nanoseconds a, nanoseconds b) {
    if (b > nanoseconds(0))
        return a + std::min(b, nanoseconds::max() - std::max(a, nanoseconds(0)));
    return a + std::max(b, nanoseconds::min() - std::min(a, nanoseconds(0)));
}

} // namespace

std::optional<PresentClock> PresentClock::with_id(uint32_t id) {
    // Compositors without a display's clock have used the coarse ones, which have the same times.
    switch (id) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
        return PresentClock(CLOCK_MONOTONIC);
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return PresentClock(CLOCK_REALTIME);
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
        return PresentClock(static_cast<clockid_t>(id));
    default: // of one process or thread, or of a file descriptor of the compositor's
        return std::nullopt;
    }
}

core::PresentationTime PresentClock::now() const { return core::PresentationTime(read(id_)); }

core::PresentationTime PresentClock::from_monotonic(Clock::time_point time) const {
    return core::PresentationTime(add(time.time_since_epoch(), ahead_of_monotonic()));
}

Clock::time_point PresentClock::to_monotonic(core::PresentationTime time) const {
    return Clock::time_point(add(time.time_since_epoch(), -ahead_of_monotonic()));
}

/// By how much the clock is ahead of the monotonic one. The thread may be interrupted between two
/// readings. So of several attempts the shortest counts.
nanoseconds PresentClock::ahead_of_monotonic() const {
    if (id_ == CLOCK_MONOTONIC)
        return nanoseconds(0);
    nanoseconds ahead = {};
    nanoseconds shortest = nanoseconds::max();
    for (int attempt = 0; attempt < 3; ++attempt) {
        const nanoseconds before = read(CLOCK_MONOTONIC);
        const nanoseconds time = read(id_);
        const nanoseconds length = read(CLOCK_MONOTONIC) - before;
        if (length < shortest) {
            shortest = length;
            ahead = time - (before + length / 2);
        }
    }
    return ahead;
}

std::optional<VkTimeDomainKHR> PresentClock::time_domain() const {
    switch (id_) {
    case CLOCK_MONOTONIC:
        return VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR;
    case CLOCK_MONOTONIC_RAW:
        return VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR;
    default:
        return std::nullopt;
    }
}

} // namespace fencebridge
