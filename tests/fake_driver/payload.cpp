// SPDX-License-Identifier: MIT
#include "payload.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "merge.hpp"
#include "sw_sync.hpp"

namespace fencebridge::fake_driver {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

int poll_timeout(const Deadline& deadline) {
    if (!deadline)
        return -1;
    const auto left = std::chrono::ceil<milliseconds>(*deadline - steady_clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

/// A descriptor that is readable from the start.
Fd make_signalled(FakeDriverSync kind) {
    if (kind == FAKE_DRIVER_SYNC_EVENTFD)
        return Fd{eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    const Fd timeline = open_sw_sync_timeline();
    return create_sw_sync_fence(timeline, 0); // a new timeline has the value 0
}

} // namespace

bool Leaf::signalled() {
    if (signalled_)
        return true;
    pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    // POLLERR and POLLHUP count as well: a sync_file with an error has signalled, and a pipe
    // without a writer will not become readable.
    if (poll(&entry, 1, 0) == 1 && entry.revents != 0)
        signalled_ = true;
    return signalled_;
}

Payload Payload::from_sync_fd(int fd) {
    return fd < 0 ? Payload{} : Payload{std::make_shared<Leaf>(Fd{fd})};
}

void Payload::add(const Payload& other) {
    std::erase_if(leaves_, [](const auto& leaf) { return leaf->signalled(); });
    for (const std::shared_ptr<Leaf>& leaf : other.pending())
        if (std::ranges::find(leaves_, leaf) == leaves_.end())
            leaves_.push_back(leaf);
}

bool Payload::signalled() const {
    return std::ranges::all_of(leaves_, [](const auto& leaf) { return leaf->signalled(); });
}

std::vector<std::shared_ptr<Leaf>> Payload::pending() const {
    std::vector<std::shared_ptr<Leaf>> result;
    std::ranges::copy_if(leaves_, std::back_inserter(result),
                         [](const auto& leaf) { return !leaf->signalled(); });
    return result;
}

std::optional<int> Payload::to_sync_fd(FakeDriverSync kind, bool signalled_as_minus_one) const {
    const auto leaves = pending();
    if (leaves.empty() && signalled_as_minus_one)
        return -1;
    int fd = -1;
    if (leaves.empty())
        fd = make_signalled(kind).release();
    else if (leaves.size() == 1)
        fd = leaves.front()->fd().duplicate();
    else
        fd = merge_conditions(leaves);
    return fd >= 0 ? std::optional{fd} : std::nullopt;
}

std::optional<Gate> Gate::make(FakeDriverSync kind) {
    Gate gate;
    Fd fd;
    if (kind == FAKE_DRIVER_SYNC_EVENTFD) {
        fd = Fd{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    } else {
        gate.timeline_ = open_sw_sync_timeline();
        fd = create_sw_sync_fence(gate.timeline_, 1);
    }
    if (!fd.valid())
        return std::nullopt;
    gate.leaf_ = std::make_shared<Leaf>(std::move(fd));
    return gate;
}

void Gate::open() {
    if (timeline_.valid())
        increment_sw_sync_timeline(timeline_, 1);
    else
        eventfd_write(leaf_->fd().get(), 1);
}

Deadline deadline_after(uint64_t timeout_ns) {
    const auto now = steady_clock::now();
    const auto most =
        static_cast<uint64_t>(nanoseconds{steady_clock::time_point::max() - now}.count());
    if (timeout_ns >= most)
        return std::nullopt;
    return now + nanoseconds{timeout_ns};
}

bool wait_for_any(const std::vector<std::shared_ptr<Leaf>>& leaves, const Deadline& deadline) {
    std::vector<pollfd> entries;
    for (const std::shared_ptr<Leaf>& leaf : leaves)
        entries.push_back({.fd = leaf->fd().get(), .events = POLLIN, .revents = 0});
    for (;;) {
        const int ready = poll(entries.data(), entries.size(), poll_timeout(deadline));
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

bool wait_for(const Payload& payload, const Deadline& deadline) {
    for (const std::shared_ptr<Leaf>& leaf : payload.pending())
        while (!leaf->signalled())
            if (!wait_for_any({leaf}, deadline))
                return leaf->signalled();
    return payload.signalled();
}

} // namespace fencebridge::fake_driver
