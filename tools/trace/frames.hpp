// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decode.hpp"

namespace fencebridge::trace {

using Nanoseconds = int64_t;

/// One frame of a swapchain, as far as its records are in the trace. Times are of CLOCK_MONOTONIC.
struct Frame {
    uint64_t swapchain = 0;
    uint64_t number = 0;
    std::optional<uint32_t> image;
    std::optional<Nanoseconds> acquire_began, acquired;
    std::optional<Nanoseconds> present_began, presented;
    std::optional<Nanoseconds> rendered; ///< the last fence of the rendering has signalled
    std::optional<Nanoseconds> committed, released;
    std::optional<Nanoseconds> shown;
    /// The last fence that was pending when the image was acquired again has signalled. The time of
    /// the release if none was.
    std::optional<Nanoseconds> reusable;
    /// The last fence for which the acquire's semaphore and fence wait has signalled. The end of
    /// the acquire if none was pending.
    std::optional<Nanoseconds> payload;
    Nanoseconds acquire_waits = 0, present_waits = 0;
    std::string longest_wait; ///< whom the frame waited for longest; empty: nobody
    Nanoseconds refresh = 0;  ///< of the display

    // Latencies, if both ends are known.

    [[nodiscard]] std::optional<Nanoseconds> rendered_to_shown() const;
    [[nodiscard]] std::optional<Nanoseconds> released_to_reusable() const;
    [[nodiscard]] std::optional<Nanoseconds> acquire_to_payload() const;
};

/// Who made the display show a frame late.
enum class Culprit { application, gpu, compositor };

/// The refreshes between two images on screen at which no new one was shown.
struct Missed {
    uint64_t swapchain;
    uint64_t frame; ///< the one that was late
    uint64_t refreshes;
    Culprit culprit;
};

/// All waits of one kind.
struct Waits {
    std::vector<Nanoseconds> lengths;
};

/// The frames of one trace.
struct Frames {
    std::vector<Frame> all;             ///< in the order of their acquires
    std::map<std::string, Waits> waits; ///< by "who <- whom"
    std::vector<Missed> missed;
    uint64_t refreshes = 0; ///< from the first image on screen to the last
};

[[nodiscard]] Frames find_frames(const Trace& trace);

/// The value below or at which the given part of the values is (nearest rank).
/// @param values  not empty
/// @param part    0 to 1
[[nodiscard]] Nanoseconds percentile(std::vector<Nanoseconds> values, double part);

} // namespace fencebridge::trace
