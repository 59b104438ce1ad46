// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fencebridge::core {

/// Counts rounds of dispatched events. A wait for events "since this stamp" returns at once if
/// another thread has dispatched some in between.
enum class EventStamp : uint64_t {};

} // namespace fencebridge::core
