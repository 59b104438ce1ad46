// SPDX-License-Identifier: MIT
// Definitions of ppoll() and clock_gettime() that skip a wait which nothing ends, and advance the
// clock by its timeout. The layer finds them before those of the C library.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace fencebridge::test {

extern constinit std::atomic<bool> skips; // whether waits are skipped
extern constinit std::atomic<int64_t> skipped_ns;
extern constinit std::atomic<size_t> waits; // how many ppoll() calls could not return at once
// The thread that next reads CLOCK_MONOTONIC_RAW is interrupted for so long, before and after it.
extern constinit std::atomic<int64_t> interruption_ns;
// With this errno, waits without a timeout that begin from now on fail; 0: they do not.
extern constinit std::atomic<int> endless_wait_error;
extern std::function<void()> before_skipping;
// Called when a wait without a timeout begins.
extern std::function<void()> before_endless_wait;

// Skips waits while it lives.
class SkippedWaits {
public:
    SkippedWaits();
    ~SkippedWaits();
    SkippedWaits(const SkippedWaits&) = delete;
    SkippedWaits& operator=(const SkippedWaits&) = delete;
};

} // namespace fencebridge::test
