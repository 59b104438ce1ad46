// SPDX-License-Identifier: MIT
// The kernel's software fences (drivers/dma-buf/sw_sync.c), for sync_files that a test signals. No
// installed header declares their ioctls.
#pragma once

#include "fd.hpp"

namespace fencebridge::fake_driver {

/// A timeline with the value 0; an invalid Fd if debugfs or CONFIG_SW_SYNC is missing.
[[nodiscard]] Fd open_sw_sync_timeline();
/// A sync_file that signals when the timeline reaches the value.
[[nodiscard]] Fd create_sw_sync_fence(const Fd& timeline, unsigned value);
void increment_sw_sync_timeline(const Fd& timeline, unsigned by);

} // namespace fencebridge::fake_driver
