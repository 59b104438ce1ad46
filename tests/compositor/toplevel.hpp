// SPDX-License-Identifier: MIT
// Windows that a real compositor shows: wl_surfaces with the role of an xdg_toplevel. The fake
// compositor has no xdg_wm_base, and shows every wl_surface.
#pragma once

#include <wayland-client-core.h>
#include <wayland-client-protocol.h>

#include <cstdint>

struct xdg_wm_base;
struct xdg_surface;
struct xdg_toplevel;

namespace fencebridge::test {

// The global xdg_wm_base. Its pings are answered when the display's default queue is dispatched.
class Shell {
public:
    static const char* interface();

    Shell(wl_registry* registry, uint32_t name);
    ~Shell();
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;
    operator xdg_wm_base*() const { return shell_; }

private:
    xdg_wm_base* shell_;
};

class Toplevel {
public:
    // Returns when the compositor has configured the window: images may be attached from then on.
    Toplevel(wl_display* display, const Shell& shell, wl_surface* surface);
    ~Toplevel();
    Toplevel(const Toplevel&) = delete;
    Toplevel& operator=(const Toplevel&) = delete;

private:
    xdg_surface* surface_;
    xdg_toplevel* toplevel_;
    bool configured_ = false;
};

} // namespace fencebridge::test
