// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "decode.hpp"
#include "frames.hpp"

namespace fencebridge::trace {

/// The whole report: latencies, waits, missed refreshes, and a table of frames. No line is longer
/// than 80 columns.
/// @param listed  so many frames are listed, the last ones
[[nodiscard]] std::string report(const Trace& trace, const Frames& frames, size_t listed);

/// One line about the frames that were presented in a part of the time.
/// @param from, to  of CLOCK_MONOTONIC, in nanoseconds
[[nodiscard]] std::string summary(const Frames& frames, int64_t from, int64_t to);

} // namespace fencebridge::trace
