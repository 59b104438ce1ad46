// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <time.h>

namespace fencebridge {

using Clock = std::chrono::steady_clock;

/// The latest end of a wait, on the monotonic clock; or none.
class Deadline {
public:
    [[nodiscard]] static Deadline never() { return Deadline(std::nullopt); }
    /// For a check without a wait.
    [[nodiscard]] static Deadline immediate() { return Deadline(Clock::time_point{}); }
    [[nodiscard]] static Deadline at(Clock::time_point time) { return Deadline(time); }
    [[nodiscard]] static Deadline after(std::chrono::nanoseconds wait) {
        return Deadline(Clock::now() + wait);
    }
    /// From a Vulkan timeout in nanoseconds. UINT64_MAX (vkAcquireNextImageKHR), and any timeout
    /// that the clock cannot express, means no end.
    [[nodiscard]] static Deadline from_vulkan(uint64_t timeout) {
        const auto now = Clock::now();
        const auto room = static_cast<uint64_t>((Clock::time_point::max() - now).count());
        if (timeout >= room)
            return never();
        return Deadline(now + std::chrono::nanoseconds(timeout));
    }

    [[nodiscard]] const std::optional<Clock::time_point>& time() const { return at_; }

    [[nodiscard]] bool has_passed() const { return at_ && Clock::now() >= *at_; }

    /// The time left, for ppoll(), never negative; nothing if there is no end. If time_t has 32
    /// bits, more than 68 years are 68 years.
    [[nodiscard]] std::optional<timespec> remaining() const {
        if (!at_)
            return std::nullopt;
        const auto left =
            std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*at_ - Clock::now()));
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
        const auto longest = std::chrono::seconds(std::numeric_limits<time_t>::max());
        return timespec{.tv_sec = static_cast<time_t>(std::min(seconds, longest).count()),
                        .tv_nsec = static_cast<long>((left - seconds).count())};
    }

private:
    explicit Deadline(std::optional<Clock::time_point> at) : at_(at) {}
    std::optional<Clock::time_point> at_;
};

} // namespace fencebridge
