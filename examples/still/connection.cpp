// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "failure.hpp"

namespace fencebridge::still {

namespace {

// Version 4 of wl_surface has damage_buffer, which Vulkan implementations use to present.
constexpr uint32_t max_compositor_version = 4;

// With a ping the compositor tests whether a client responds. Without a pong, it marks the client
// as hung.
constexpr xdg_wm_base_listener wm_base_listener{
    .ping = [](void*, xdg_wm_base* base, uint32_t serial) { xdg_wm_base_pong(base, serial); }};

} // namespace

Connection::Connection() : display_(wl_display_connect(nullptr)) {
    if (!display_)
        throw Unsupported("no Wayland compositor: is WAYLAND_DISPLAY set?");
    registry_.reset(wl_display_get_registry(display_.get()));
    static constexpr wl_registry_listener listener{
        .global =
            [](void* data, wl_registry* registry, uint32_t name, const char* interface,
               uint32_t version) {
                static_cast<Connection*>(data)->bind(registry, name, interface, version);
            },
        .global_remove = [](void*, wl_registry*, uint32_t) {},
    };
    wl_registry_add_listener(registry_.get(), &listener, this);
    // The compositor sends all its globals before it answers a sync request.
    if (wl_display_roundtrip(display_.get()) < 0)
        fail();
    if (!compositor_ || !wm_base_)
        throw Unsupported("the compositor has no xdg_wm_base");
}

void Connection::bind(wl_registry* registry, uint32_t name, const char* interface,
                      uint32_t version) {
    auto bind_as = [&]<typename Owner>(Owner& owner, const wl_interface& wanted, uint32_t most) {
        using T = typename Owner::element_type;
        if (std::string_view(interface) == wanted.name)
            owner.reset(static_cast<T*>(
                wl_registry_bind(registry, name, &wanted, std::min(version, most))));
    };
    bind_as(compositor_, wl_compositor_interface, max_compositor_version);
    bind_as(subcompositor_, wl_subcompositor_interface, 1);
    bind_as(wm_base_, xdg_wm_base_interface, 1);
    bind_as(viewporter_, wp_viewporter_interface, 1);
    bind_as(pixel_buffers_, wp_single_pixel_buffer_manager_v1_interface, 1);
    bind_as(presentation_, wp_presentation_interface, 1);
    if (std::string_view(interface) == xdg_wm_base_interface.name)
        xdg_wm_base_add_listener(wm_base_.get(), &wm_base_listener, nullptr);
}

void Connection::dispatch() { poll_and_dispatch(0); }

void Connection::wait() { poll_and_dispatch(-1); }

// Vulkan implementations read from the same socket, on any thread that is in one of their calls.
// wl_display_prepare_read makes that safe: the events that one reader reads reach the queues of
// all. No Vulkan call may come between wl_display_prepare_read and wl_display_read_events: that
// call could wait for this reader, which would never read.
void Connection::poll_and_dispatch(int timeout_ms) {
    while (wl_display_prepare_read(display_.get()) != 0) {
        if (wl_display_dispatch_pending(display_.get()) < 0)
            fail();
        timeout_ms = 0; // an event was dispatched: let the caller check before it waits
    }
    // If the socket is full (EAGAIN), poll() below also waits for room. Reading reports any other
    // error, and the protocol error that the compositor may have sent.
    bool full = wl_display_flush(display_.get()) < 0 && errno == EAGAIN;

    std::array<pollfd, 3> fds{
        pollfd{wl_display_get_fd(display_.get()), short(full ? POLLIN | POLLOUT : POLLIN), 0},
        pollfd{stop_signal_.fd(), POLLIN, 0},
        pollfd{watching_input_ ? STDIN_FILENO : -1, POLLIN, 0}, // poll() skips negative fds
    };
    int ready = poll(fds.data(), fds.size(), timeout_ms);
    if (ready > 0 && fds[0].revents & (POLLIN | POLLERR | POLLHUP)) {
        if (wl_display_read_events(display_.get()) < 0)
            fail();
    } else {
        wl_display_cancel_read(display_.get());
    }
    if (wl_display_dispatch_pending(display_.get()) < 0)
        fail();
    if (ready > 0 && fds[1].revents)
        stop_requested_ = true;
    if (ready > 0 && fds[2].revents)
        look_at_input();
}

// poll() reports both input and its end. Only read() distinguishes them. Input is ignored.
void Connection::look_at_input() {
    char ignored[256];
    ssize_t length = read(STDIN_FILENO, ignored, sizeof ignored);
    if (length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN))
        stop_requested_ = true;
}

void Connection::fail() const {
    int error = wl_display_get_error(display_.get());
    if (error != EPROTO)
        throw Failure(std::string("the compositor went away: ") +
                      std::generic_category().message(error));
    const wl_interface* interface = nullptr;
    uint32_t id = 0;
    uint32_t code = wl_display_get_protocol_error(display_.get(), &interface, &id);
    throw Failure("protocol error " + std::to_string(code) + " on " +
                  (interface ? interface->name : "an unknown object") + "#" + std::to_string(id));
}

} // namespace fencebridge::still
