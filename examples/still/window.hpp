// SPDX-License-Identifier: MIT
// One window: an xdg_toplevel without decorations, and the wl_surface in it that Vulkan draws to.
#pragma once

#include <cstdint>
#include <optional>

#include "connection.hpp"
#include "options.hpp"

namespace fencebridge::still {

struct Size {
    uint32_t width, height;
    bool operator==(const Size&) const = default;
};

// Without a backdrop, Vulkan draws to the toplevel's own surface. With one, the toplevel's surface
// is a single pixel stretched to the window's size, and Vulkan draws to a subsurface upon it.
class Window {
public:
    // Returns after the first configure event, from which on Vulkan may present to the surface; or
    // earlier if the program is asked to stop. `size` is used if the compositor leaves the size to
    // the client.
    Window(Connection& connection, Size size, const Options& options);
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    // The surface for vkCreateWaylandSurfaceKHR.
    wl_surface* surface() const { return picture_ ? picture_.get() : base_.get(); }
    Size size() const { return size_; }
    bool fullscreen() const { return fullscreen_; }
    bool closed() const { return closed_; }

    // Requests a frame callback for the next commit of surface(). The request is part of the
    // surface's pending state, so it applies to the commit that vkQueuePresentKHR makes.
    void watch_next_frame();
    bool watched_frame_shown() const { return watched_frame_shown_; }

private:
    void add_backdrop(Connection& connection, uint32_t rgb);
    void propose(int32_t width, int32_t height, const wl_array& states);
    void configure(uint32_t serial);

    Size size_;
    bool fullscreen_ = false;
    // The state of the last xdg_toplevel.configure. The next xdg_surface.configure applies it.
    struct {
        std::optional<Size> size;
        bool fullscreen = false;
    } proposed_;
    bool configured_ = false;
    bool closed_ = false;
    bool watched_frame_shown_ = false;
    // Destroyed from the last to the first: a role before its surface, a child before its parent.
    Proxy<wl_surface> base_;
    Proxy<wp_viewport> base_viewport_;
    Proxy<wl_buffer> base_pixel_;
    Proxy<wl_surface> picture_;
    Proxy<wl_subsurface> subsurface_;
    Proxy<xdg_surface> xdg_surface_;
    Proxy<xdg_toplevel> toplevel_;
    Proxy<wl_callback> frame_callback_;
};

} // namespace fencebridge::still
