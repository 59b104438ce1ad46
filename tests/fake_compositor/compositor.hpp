// SPDX-License-Identifier: MIT
// A Wayland compositor in the test's process, on a thread of its own. The test scripts what it
// does.
#pragma once

#include "listening_socket.hpp"
#include "scene.hpp"

#include <wayland-client-core.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <type_traits>

namespace fencebridge::test {

class Compositor {
public:
    // Long enough for a slow machine: only a test that fails waits this long.
    static constexpr std::chrono::milliseconds patience{10000};

    explicit Compositor(Script script = {});
    ~Compositor();
    Compositor(const Compositor&) = delete;
    Compositor& operator=(const Compositor&) = delete;

    // Connects a new client through the compositor's socket. The caller disconnects the display.
    wl_display* connect();
    // Connects a new client by socketpair(), as if it had inherited the connection. getpeername()
    // returns no path for it.
    wl_display* connect_unnamed();
    const std::filesystem::path& socket_path() const { return socket_.path(); }

    // Runs the function on the compositor's thread, after the compositor has processed everything
    // that clients have written to their sockets so far. Returns what the function returns.
    template <class Function>
    auto on_thread(Function function) {
        using Result = std::invoke_result_t<Function, Scene&>;
        if constexpr (std::is_void_v<Result>) {
            run_on_thread([&](Scene& scene) { function(scene); });
        } else {
            std::optional<Result> result;
            run_on_thread([&](Scene& scene) { result.emplace(function(scene)); });
            return std::move(*result);
        }
    }

    // Blocks until the condition holds; false after the timeout.
    bool wait_until(std::function<bool(const Scene&)> condition,
                    std::chrono::milliseconds timeout = patience);

    // A frozen compositor reads nothing and sends nothing, but on_thread() still works.
    void freeze();
    void thaw();

    // Shorthands.
    void settle() {
        on_thread([](Scene&) {});
    }
    size_t commits() {
        return on_thread([](Scene& scene) { return scene.commits().size(); });
    }
    Commit commit_at(size_t index) {
        return on_thread([=](Scene& scene) { return scene.commits().at(index); });
    }
    Commit last_commit() {
        return on_thread([](Scene& scene) { return scene.commits().back(); });
    }
    size_t requests(std::string interface, std::string name) {
        return on_thread([&](Scene& scene) { return scene.count(interface, name); });
    }
    size_t round_trips() { return requests("wl_display", "sync"); }
    bool wait_for_commits(size_t count, std::chrono::milliseconds timeout = patience) {
        return wait_until([=](const Scene& s) { return s.commits().size() >= count; }, timeout);
    }
    void release(BufferId buffer) {
        on_thread([=](Scene& scene) { scene.release(buffer); });
    }
    void refresh() {
        on_thread([](Scene& scene) { scene.refresh(); });
    }
    bool present(size_t commit, PresentedEvent presented = {}) {
        return on_thread([=](Scene& scene) { return scene.present(commit, presented); });
    }
    bool discard(size_t commit) {
        return on_thread([=](Scene& scene) { return scene.discard(commit); });
    }
    std::vector<size_t> unanswered_commits() {
        return on_thread([](Scene& scene) { return scene.unanswered_commits(); });
    }
    void disconnect_clients() {
        on_thread([](Scene& scene) { scene.disconnect_clients(); });
    }
    void refuse_buffers(bool refuse) {
        on_thread([=](Scene& scene) { scene.set_refuse_buffers(refuse); });
    }
    bool release_with_fence(BufferId buffer, const Fd& sync_file) {
        return on_thread([&](Scene& scene) { return scene.release_with_fence(buffer, sync_file); });
    }
    bool acquire_signalled(size_t commit) {
        return on_thread([=](Scene& scene) { return scene.acquire_signalled(commit); });
    }
    bool wait_for_acquire_point(size_t commit, std::chrono::milliseconds timeout = patience) {
        auto point = on_thread([=](Scene& scene) { return scene.acquire_point(commit); });
        return point && point->timeline->wait(point->value, timeout);
    }
    // A duplicate of the descriptor of the buffer's first plane.
    Fd dma_buf_of(BufferId buffer) {
        return on_thread([=](Scene& scene) {
            return scene.buffer(buffer).planes.begin()->second.fd.duplicate();
        });
    }

private:
    struct Waiter {
        std::function<bool(const Scene&)> condition;
        bool met = false;
    };

    void run();
    void run_on_thread(std::function<void(Scene&)> command);
    void dispatch_clients();
    void carry_out_commands();
    void check_waiters();
    void wake();

    ListeningSocket socket_;
    wl_display* display_;
    Scene scene_;
    wl_protocol_logger* logger_;
    Fd wake_;
    bool frozen_ = false; // belongs to the compositor's thread

    std::mutex mutex_; // guards commands_, waiters_ and quit_
    std::condition_variable changed_;
    struct Command {
        std::function<void(Scene&)> function;
        bool done = false;
    };
    std::deque<Command*> commands_;
    std::list<Waiter*> waiters_;
    bool quit_ = false;

    std::thread thread_;
};

} // namespace fencebridge::test
