// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fencebridge::core {

/// A count of what a wait() waits for: rounds in which a thread dispatched events, or, on a
/// headless surface, presented frames. The wait returns at once if the count is no longer the one
/// that the caller passes.
enum class EventStamp : uint64_t {};

} // namespace fencebridge::core
