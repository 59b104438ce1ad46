// SPDX-License-Identifier: MIT
#include "merge.hpp"

#include <linux/sync_file.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

#include "payload.hpp"

namespace fencebridge::fake_driver {
namespace {

Fd merge_two(const Fd& first, const Fd& second) {
    sync_merge_data request{};
    std::strcpy(request.name, "fake driver");
    request.fd2 = second.get();
    if (ioctl(first.get(), SYNC_IOC_MERGE, &request) != 0)
        return {};
    return Fd{request.fence};
}

Fd merge_sync_files(const std::vector<std::shared_ptr<Leaf>>& leaves) {
    Fd merged{leaves.front()->fd().duplicate()};
    for (size_t i = 1; i < leaves.size() && merged.valid(); ++i)
        merged = merge_two(merged, leaves[i]->fd());
    return merged;
}

/// Waits for the leaves one after the other. A leaf stays signalled, so all have signalled after
/// the last wait.
class Watcher {
public:
    Watcher(std::vector<std::shared_ptr<Leaf>> leaves, Fd event) :
        leaves_{std::move(leaves)}, event_{std::move(event)} {}
    ~Watcher() {
        eventfd_write(stop_.get(), 1);
        if (thread_.joinable())
            thread_.join();
    }

    /// If all leaves have signalled, joins the thread, which writes its event, and returns true.
    [[nodiscard]] bool finish_if_signalled() {
        if (!std::ranges::all_of(leaves_, [](const auto& leaf) { return leaf->signalled(); }))
            return false;
        thread_.join();
        return true;
    }

private:
    void run() {
        for (const std::shared_ptr<Leaf>& leaf : leaves_)
            while (!leaf->signalled()) {
                pollfd entries[]{{.fd = leaf->fd().get(), .events = POLLIN, .revents = 0},
                                 {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
                poll(entries, std::size(entries), -1);
                if (entries[1].revents != 0)
                    return;
            }
        eventfd_write(event_.get(), 1);
    }

    std::vector<std::shared_ptr<Leaf>> leaves_;
    Fd event_;
    Fd stop_{eventfd(0, EFD_CLOEXEC)};
    std::thread thread_{[this] { run(); }}; // declared last: it uses the members above
};

struct Watchers {
    std::mutex mutex;
    std::list<Watcher> list;
};

Watchers& watchers() {
    static Watchers all;
    return all;
}

int watch(const std::vector<std::shared_ptr<Leaf>>& leaves) {
    sweep_merges();
    Fd event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    const int result = event.valid() ? event.duplicate() : -1;
    if (result < 0)
        return -1;
    Watchers& all = watchers();
    const std::lock_guard lock{all.mutex};
    all.list.emplace_back(leaves, std::move(event));
    return result;
}

} // namespace

void sweep_merges() {
    Watchers& all = watchers();
    const std::lock_guard lock{all.mutex};
    all.list.remove_if([](Watcher& watcher) { return watcher.finish_if_signalled(); });
}

int merge_conditions(const std::vector<std::shared_ptr<Leaf>>& leaves) {
    if (Fd merged = merge_sync_files(leaves); merged.valid())
        return merged.release();
    return watch(leaves);
}

} // namespace fencebridge::fake_driver
