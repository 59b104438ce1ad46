// SPDX-License-Identifier: MIT
// The lock of all payloads, and rendering that is held.
#pragma once

#include <mutex>

#include "objects.hpp"

namespace fencebridge::fake_driver {

/// Guards the payloads of semaphores, fences and queues. Never held while waiting.
[[nodiscard]] std::mutex& payload_mutex();

/// Reports a misuse if a batch that uses the object has not finished.
void require_unused(const std::shared_ptr<Use>& use, const char* function);

/// The gate of a batch with command buffers while rendering is held, else an empty payload. None if
/// the gate cannot be created.
[[nodiscard]] std::optional<Payload> gate_for_rendering();

void hold_rendering(bool on);
bool release_one();
bool release_newest();
[[nodiscard]] uint32_t held_batches();

} // namespace fencebridge::fake_driver
