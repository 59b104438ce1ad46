// SPDX-License-Identifier: MIT
// The payload of a semaphore or fence: a set of conditions, each with a descriptor that becomes
// readable when the condition signals, and stays readable. An exported descriptor becomes readable
// without a further call of the application, as a sync_file does.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "fd.hpp"
#include "settings.hpp"

namespace fencebridge::fake_driver {

/// One condition. It stays signalled. Its descriptor is closed with the last payload that contains
/// it.
class Leaf {
public:
    explicit Leaf(Fd fd) : fd_{std::move(fd)} {}
    [[nodiscard]] bool signalled();
    [[nodiscard]] const Fd& fd() const { return fd_; }

private:
    Fd fd_;
    std::atomic<bool> signalled_{false};
};

/// Signalled when all its leaves are. A payload without leaves is signalled.
class Payload {
public:
    Payload() = default;
    explicit Payload(std::shared_ptr<Leaf> leaf) : leaves_{std::move(leaf)} {}

    /// Owns the sync_file from now on. -1 stands for a signalled payload.
    [[nodiscard]] static Payload from_sync_fd(int fd);

    void add(const Payload& other);
    [[nodiscard]] bool signalled() const;
    /// The leaves that have not signalled.
    [[nodiscard]] std::vector<std::shared_ptr<Leaf>> pending() const;

    /// A new descriptor for this payload. With `signalled_as_minus_one` it is -1 if the payload is
    /// signalled. None if no descriptor can be created.
    [[nodiscard]] std::optional<int> to_sync_fd(FakeDriverSync kind,
                                                bool signalled_as_minus_one) const;

private:
    std::vector<std::shared_ptr<Leaf>> leaves_;
};

/// A condition that the driver signals.
class Gate {
public:
    /// None if the kernel has no sw_sync, or no descriptor can be created.
    [[nodiscard]] static std::optional<Gate> make(FakeDriverSync kind);
    [[nodiscard]] const std::shared_ptr<Leaf>& leaf() const { return leaf_; }
    void open();

private:
    Fd timeline_; // sw_sync only
    std::shared_ptr<Leaf> leaf_;
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>; // none: infinite

/// The deadline of a Vulkan timeout that begins now.
[[nodiscard]] Deadline deadline_after(uint64_t timeout_ns);

/// Waits until one of the leaves may have signalled; false after the deadline.
[[nodiscard]] bool wait_for_any(const std::vector<std::shared_ptr<Leaf>>& leaves,
                                const Deadline& deadline);
/// Waits until the payload has signalled; false after the deadline.
[[nodiscard]] bool wait_for(const Payload& payload, const Deadline& deadline);

} // namespace fencebridge::fake_driver
