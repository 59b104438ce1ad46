// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fencebridge::core {

/// A count of what a wait() waits for. On Wayland it counts the rounds that have ended, except
/// those of dispatch_pending() that dispatched nothing. On a headless surface it counts the frames
/// that were presented. The wait returns at once if the count is no longer the one that the caller
/// passes.
enum class EventStamp : uint64_t {};

} // namespace fencebridge::core
