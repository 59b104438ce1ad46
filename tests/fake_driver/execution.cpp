// SPDX-License-Identifier: MIT
#include "execution.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <list>
#include <thread>

namespace fencebridge::fake_driver {
namespace {

/// One batch at a time is executed, so that the images and layouts need no locks.
void execute(const Commands& commands) {
    static std::mutex mutex;
    const std::lock_guard lock{mutex};
    for (const auto& command : commands)
        command();
}

class Execution {
public:
    Execution(const Device& device, const Payload& before, Commands commands, Gate done) :
        device_{&device}, before_{before}, commands_{std::move(commands)}, done_{std::move(done)} {}
    ~Execution() {
        eventfd_write(stop_.get(), 1);
        thread_.join();
    }

    [[nodiscard]] bool is_of(const Device& device) const { return device_ == &device; }
    [[nodiscard]] bool is_done() const { return done_.leaf()->signalled(); }

private:
    void run() {
        for (const std::shared_ptr<Leaf>& leaf : before_.pending())
            while (!leaf->signalled()) {
                pollfd entries[]{{.fd = leaf->fd().get(), .events = POLLIN, .revents = 0},
                                 {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
                poll(entries, std::size(entries), -1);
                if (entries[1].revents != 0)
                    return;
            }
        execute(commands_);
        done_.open();
    }

    const Device* device_;
    Payload before_;
    Commands commands_;
    Gate done_;
    Fd stop_{eventfd(0, EFD_CLOEXEC)};
    std::thread thread_{[this] { run(); }}; // declared last: it uses the members above
};

struct Executions {
    std::mutex mutex;
    std::list<Execution> list;
};

Executions& executions() {
    static Executions all;
    return all;
}

} // namespace

void execute_after(const Device& device, const Payload& before, Commands commands, Gate done) {
    sweep_executions();
    if (before.signalled()) {
        execute(commands);
        done.open();
        return;
    }
    Executions& all = executions();
    const std::lock_guard lock{all.mutex};
    all.list.emplace_back(device, before, std::move(commands), std::move(done));
}

void sweep_executions() {
    Executions& all = executions();
    const std::lock_guard lock{all.mutex};
    all.list.remove_if([](const Execution& execution) { return execution.is_done(); });
}

void finish_executions(const Device& device) {
    Executions& all = executions();
    const std::lock_guard lock{all.mutex};
    all.list.remove_if([&](const Execution& execution) {
        if (!execution.is_of(device))
            return false;
        if (!execution.is_done())
            misuse("vkDestroyDevice: a batch has not finished");
        return true;
    });
}

} // namespace fencebridge::fake_driver
