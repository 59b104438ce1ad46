// SPDX-License-Identifier: MIT
// The connection to the compositor: its globals, and the one place where the program waits for
// events.
#pragma once

#include <cstdint>

#include "proxy.hpp"
#include "stop_signal.hpp"

namespace fencebridge::still {

class Connection {
public:
    // Connects to $WAYLAND_DISPLAY.
    Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    wl_display* display() const { return display_.get(); }
    wl_compositor* compositor() const { return compositor_.get(); }
    xdg_wm_base* wm_base() const { return wm_base_.get(); }
    // These four are null where the compositor lacks them.
    wl_subcompositor* subcompositor() const { return subcompositor_.get(); }
    wp_viewporter* viewporter() const { return viewporter_.get(); }
    wp_single_pixel_buffer_manager_v1* pixel_buffers() const { return pixel_buffers_.get(); }
    wp_presentation* presentation() const { return presentation_.get(); }

    // Dispatches the events that have arrived, without waiting.
    void dispatch();
    // Waits for an event, a stop request or (after watch_input()) the end of standard input, and
    // dispatches.
    void wait();
    void watch_input() { watching_input_ = true; }
    // SIGTERM or SIGINT arrived, or the watched standard input ended.
    bool stop_requested() const { return stop_requested_; }

private:
    void bind(wl_registry* registry, uint32_t name, const char* interface, uint32_t version);
    void poll_and_dispatch(int timeout_ms);
    void look_at_input();
    [[noreturn]] void fail() const;

    StopSignal stop_signal_;
    bool watching_input_ = false;
    bool stop_requested_ = false;
    // The display is declared before all objects that belong to it, so that it is destroyed after
    // them.
    Proxy<wl_display> display_;
    Proxy<wl_registry> registry_;
    Proxy<wl_compositor> compositor_;
    Proxy<wl_subcompositor> subcompositor_;
    Proxy<xdg_wm_base> wm_base_;
    Proxy<wp_viewporter> viewporter_;
    Proxy<wp_single_pixel_buffer_manager_v1> pixel_buffers_;
    Proxy<wp_presentation> presentation_;
};

} // namespace fencebridge::still
