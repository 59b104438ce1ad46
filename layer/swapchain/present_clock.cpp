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
    const nanoseconds since_start = time.time_since_epoch();
    if (id_ == CLOCK_MONOTONIC)
        return core::PresentationTime(since_start);
    return core::PresentationTime(add(since_start, read(id_) - read(CLOCK_MONOTONIC)));
}

Clock::time_point PresentClock::to_monotonic(core::PresentationTime time) const {
    const nanoseconds since_start = time.time_since_epoch();
    if (id_ == CLOCK_MONOTONIC)
        return Clock::time_point(since_start);
    return Clock::time_point(add(since_start, read(CLOCK_MONOTONIC) - read(id_)));
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
