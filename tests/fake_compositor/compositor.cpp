// SPDX-License-Identifier: MIT
#include "compositor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

namespace fencebridge::test {
namespace {

void note_message(void* data, wl_protocol_logger_type type,
                  const wl_protocol_logger_message* message) {
    if (type == WL_PROTOCOL_LOGGER_REQUEST)
        static_cast<Scene*>(data)->note(*message);
}

bool readable(int fd) {
    pollfd request{fd, POLLIN, 0};
    return poll(&request, 1, 0) == 1;
}

} // namespace

Compositor::Compositor(Script script) :
    display_(wl_display_create()), scene_(display_, std::move(script)),
    logger_(wl_display_add_protocol_logger(display_, note_message, &scene_)),
    wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    add_core_globals(scene_);
    add_dmabuf_global(scene_);
    add_presentation_global(scene_);
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    add_fifo_global(scene_);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
    add_commit_timing_global(scene_);
#endif
#ifdef FAKE_COMPOSITOR_HAS_TEARING
    add_tearing_global(scene_);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COLOR
    add_color_global(scene_);
#endif
#ifdef FAKE_COMPOSITOR_HAS_COLOR_REPRESENTATION
    add_color_representation_global(scene_);
#endif
#ifdef FAKE_COMPOSITOR_HAS_SYNCOBJ
    add_syncobj_global(scene_);
#endif
    wl_display_add_socket_fd(display_, socket_.release());
    thread_ = std::thread([this] { run(); });
}

Compositor::~Compositor() {
    {
        std::lock_guard lock(mutex_);
        quit_ = true;
    }
    wake();
    thread_.join();
    wl_display_destroy_clients(display_);
    scene_.stop();
    wl_protocol_logger_destroy(logger_);
    wl_display_destroy(display_);
}

wl_display* Compositor::connect() {
    Fd client = socket_.connect();
    settle();
    return client ? wl_display_connect_to_fd(client.release()) : nullptr;
}

wl_display* Compositor::connect_unnamed() {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return nullptr;
    on_thread([&](Scene&) { wl_client_create(display_, sockets[0]); });
    return wl_display_connect_to_fd(sockets[1]);
}

void Compositor::freeze() {
    on_thread([this](Scene&) { frozen_ = true; });
}

void Compositor::thaw() {
    on_thread([this](Scene&) { frozen_ = false; });
}

void Compositor::wake() { eventfd_write(wake_.get(), 1); }

void Compositor::run_on_thread(std::function<void(Scene&)> function) {
    Command command{std::move(function)};
    std::unique_lock lock(mutex_);
    commands_.push_back(&command);
    wake();
    changed_.wait(lock, [&] { return command.done; });
}

bool Compositor::wait_until(std::function<bool(const Scene&)> condition,
                            std::chrono::milliseconds timeout) {
    Waiter waiter{std::move(condition)};
    std::unique_lock lock(mutex_);
    waiters_.push_back(&waiter);
    wake();
    changed_.wait_for(lock, timeout, [&] { return waiter.met; });
    waiters_.remove(&waiter);
    return waiter.met;
}

void Compositor::run() {
    for (;;) {
        pollfd requests[] = {
            {wake_.get(), POLLIN, 0},
            {frozen_ ? -1 : wl_event_loop_get_fd(wl_display_get_event_loop(display_)), POLLIN, 0}};
        poll(requests, 2, -1);
        eventfd_t count;
        eventfd_read(wake_.get(), &count);
        dispatch_clients();
        carry_out_commands();
        check_waiters();
        std::lock_guard lock(mutex_);
        if (quit_)
            return;
    }
}

// Dispatches until nothing is left to read, and then sends all resulting events together. A
// periodic refresh also makes the loop's descriptor readable, but at most once in a few
// milliseconds.
void Compositor::dispatch_clients() {
    wl_event_loop* loop = wl_display_get_event_loop(display_);
    if (frozen_)
        return;
    while (readable(wl_event_loop_get_fd(loop)))
        wl_event_loop_dispatch(loop, 0);
    wl_display_flush_clients(display_);
}

void Compositor::carry_out_commands() {
    for (;;) {
        Command* command;
        {
            std::lock_guard lock(mutex_);
            if (commands_.empty())
                return;
            command = commands_.front();
            commands_.pop_front();
        }
        // Requests that were written before the command was queued are processed first.
        dispatch_clients();
        command->function(scene_);
        if (!frozen_)
            wl_display_flush_clients(display_);
        std::lock_guard lock(mutex_);
        command->done = true;
        changed_.notify_all();
    }
}

void Compositor::check_waiters() {
    std::lock_guard lock(mutex_);
    for (Waiter* waiter : waiters_)
        waiter->met = waiter->met || waiter->condition(scene_);
    changed_.notify_all();
}

} // namespace fencebridge::test
