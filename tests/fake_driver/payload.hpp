// SPDX-License-Identifier: MIT
// What a semaphore or fence waits for: a set of one-way conditions, each behind a descriptor that
// polls readable once it holds. Nothing here needs a thread or a moment when it is resolved, so a
// descriptor given to the application turns readable by itself, like a sync_file's.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "fd.hpp"
#include "settings.hpp"

namespace fencebridge::fake_driver {

/// One condition. Once seen to hold it holds for good and its descriptor is closed no sooner than
/// the last payload lets go of it.
class Leaf {
public:
    explicit Leaf(Fd fd) : fd_{std::move(fd)} {}
    [[nodiscard]] bool signalled();
    [[nodiscard]] const Fd& fd() const { return fd_; }

private:
    Fd fd_;
    std::atomic<bool> signalled_{false};
};

/// Signalled when all its leaves are; without leaves, signalled already.
class Payload {
public:
    Payload() = default;
    explicit Payload(std::shared_ptr<Leaf> leaf) : leaves_{std::move(leaf)} {}

    /// Takes over the application's descriptor of a sync_file; -1 stands for a signalled one.
    [[nodiscard]] static Payload from_sync_fd(int fd);

    void add(const Payload& other);
    [[nodiscard]] bool signalled() const;
    /// The leaves that do not hold yet.
    [[nodiscard]] std::vector<std::shared_ptr<Leaf>> pending() const;

    /// A new descriptor with the same condition, -1 for a signalled payload if so wished; none when
    /// no descriptor can be made.
    [[nodiscard]] std::optional<int> to_sync_fd(FakeDriverSync kind,
                                                bool signalled_as_minus_one) const;

private:
    std::vector<std::shared_ptr<Leaf>> leaves_;
};

/// A condition that the driver itself makes true.
class Gate {
public:
    /// None when the kernel has no sw_sync, or no descriptor to give.
    [[nodiscard]] static std::optional<Gate> make(FakeDriverSync kind);
    [[nodiscard]] const std::shared_ptr<Leaf>& leaf() const { return leaf_; }
    void open();

private:
    Fd timeline_; // sw_sync only
    std::shared_ptr<Leaf> leaf_;
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>; // none: for ever

/// A Vulkan timeout in nanoseconds from now.
[[nodiscard]] Deadline deadline_after(uint64_t timeout_ns);

/// Waits until one of the leaves may have changed; false when the deadline passed first.
[[nodiscard]] bool wait_for_any(const std::vector<std::shared_ptr<Leaf>>& leaves,
                                const Deadline& deadline);
/// Waits for the whole payload.
[[nodiscard]] bool wait_for(const Payload& payload, const Deadline& deadline);

} // namespace fencebridge::fake_driver
