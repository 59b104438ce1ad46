// SPDX-License-Identifier: MIT
#pragma once

#include "trace_file.hpp"

namespace fencebridge::trace {

/// Prints one line a second about the frames of the last second, until the traced process ends or
/// standard output is closed.
/// @return the error is for people
[[nodiscard]] std::expected<void, std::string> follow(const TraceFile& file);

} // namespace fencebridge::trace
