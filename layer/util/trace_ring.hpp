// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "util/fd.hpp"
#include "util/trace_format.hpp"

namespace fencebridge::trace {

/// A trace file: a ring of slots that is mapped into memory (trace_format.hpp). At any moment it is
/// a whole trace, also after the end of the process. Any thread may write, without a lock, a system
/// call or a wait. The oldest events are overwritten.
class Ring {
public:
    /// Makes the file. A trace of this layer's that has the same path is replaced: a process that
    /// still writes to that one goes on, without a name for its file. Any other file stays.
    /// All of the file's blocks are allocated, so that no later write fails (SIGBUS) when the disk
    /// is full. But on a file system that copies on write, it may (docs/tracing.md).
    /// @return the error says what failed, for the log. May throw std::bad_alloc
    [[nodiscard]] static std::expected<std::unique_ptr<Ring>, std::string>
    create(const std::string& path);
    ~Ring();
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    /// Writes packets into the next slot. If a thread is still writing to that slot, since it was
    /// stopped for a whole round of the ring, the packets are dropped.
    /// @param packets  at most payload_size bytes
    void write(std::span<const uint8_t> packets) noexcept;
    /// Writes packets into a slot that is never overwritten. If none is left, as write() does.
    void write_to_head(std::span<const uint8_t> packets) noexcept;

    /// The number of events so far.
    [[nodiscard]] uint64_t events() const { return events_.load(std::memory_order_relaxed); }

private:
    Ring() = default;
    void fill(size_t slot, uint64_t number, std::span<const uint8_t> packets) noexcept;

    /// Open, and locked as shared (flock), as long as the process lives: fencebridge-trace --follow
    /// sees by that when it ends.
    Fd file_;
    std::byte* slots_ = nullptr;
    std::atomic<uint64_t> events_ = 0;
    std::atomic<size_t> head_ = 0; ///< used head slots
};

} // namespace fencebridge::trace
