// SPDX-License-Identifier: MIT
// The lock of all payloads, and the held rendering.
#pragma once

#include <mutex>

#include "objects.hpp"

namespace fencebridge::fake_driver {

/// Guards the payloads of semaphores, fences and queues. Never held while waiting.
[[nodiscard]] std::mutex& payload_mutex();

/// A gate for a batch with command buffers while rendering is held; an empty payload otherwise;
/// none when the gate cannot be made.
[[nodiscard]] std::optional<Payload> gate_for_rendering();

void hold_rendering(bool on);
bool release_one();
[[nodiscard]] uint32_t held_batches();

} // namespace fencebridge::fake_driver
