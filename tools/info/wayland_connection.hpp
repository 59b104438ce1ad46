// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include <wayland-client.h>

namespace fencebridge::info {

/// Where the compositor is looked for, by the rules of wl_display_connect(3). An inherited
/// connection (WAYLAND_SOCKET) can be used once, and there are several probes, so it is not used.
/// @return empty if the environment names no place
[[nodiscard]] std::string wayland_socket();

/// A connection to the compositor, with a wl_surface that has no role: no window appears.
class WaylandConnection {
public:
    struct Announced {
        std::string interface;
        uint32_t version;
    };

    /// Connects. The connection is false if that fails, with errno set.
    WaylandConnection();
    WaylandConnection(const WaylandConnection&) = delete;
    WaylandConnection& operator=(const WaylandConnection&) = delete;

    [[nodiscard]] explicit operator bool() const { return display_ != nullptr; }
    /// Waits for all globals, and makes the wl_surface.
    /// @return false if the connection was lost
    [[nodiscard]] bool receive_globals();

    [[nodiscard]] wl_display* display() const { return display_.get(); }
    [[nodiscard]] const std::vector<Announced>& globals() const { return globals_; }
    /// Null without wl_compositor.
    [[nodiscard]] wl_surface* surface() const { return surface_.get(); }

private:
    struct ProxyDisposer {
        void operator()(wl_display* display) const { wl_display_disconnect(display); }
        void operator()(wl_registry* registry) const { wl_registry_destroy(registry); }
        void operator()(wl_compositor* compositor) const { wl_compositor_destroy(compositor); }
        void operator()(wl_surface* surface) const { wl_surface_destroy(surface); }
    };
    template <class T>
    using Owner = std::unique_ptr<T, ProxyDisposer>;

    static void announce(void* data, wl_registry* registry, uint32_t name, const char* interface,
                         uint32_t version);

    Owner<wl_display> display_;
    Owner<wl_registry> registry_;
    Owner<wl_compositor> compositor_;
    Owner<wl_surface> surface_;
    std::vector<Announced> globals_;
};

} // namespace fencebridge::info
