// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "decode.hpp"
#include "frames.hpp"

namespace fencebridge::trace {

/// A web page with the time line of the frames, which needs nothing but itself.
[[nodiscard]] std::string page(const Trace& trace, const Frames& frames);

} // namespace fencebridge::trace
