// SPDX-License-Identifier: MIT
#include "toplevel.hpp"

#include "xdg-shell-client-protocol.h"

namespace fencebridge::test {

const char* Shell::interface() { return xdg_wm_base_interface.name; }

Shell::Shell(wl_registry* registry, uint32_t name) :
    shell_(static_cast<xdg_wm_base*>(wl_registry_bind(registry, name, &xdg_wm_base_interface, 1))) {
    static const xdg_wm_base_listener listener = {
        [](void*, xdg_wm_base* pinged, uint32_t serial) { xdg_wm_base_pong(pinged, serial); }};
    xdg_wm_base_add_listener(shell_, &listener, nullptr);
}

Shell::~Shell() { xdg_wm_base_destroy(shell_); }

Toplevel::Toplevel(wl_display* display, const Shell& shell, wl_surface* surface) :
    surface_(xdg_wm_base_get_xdg_surface(shell, surface)),
    toplevel_(xdg_surface_get_toplevel(surface_)) {
    static const xdg_surface_listener listener = {
        [](void* data, xdg_surface* configured, uint32_t serial) {
            xdg_surface_ack_configure(configured, serial);
            static_cast<Toplevel*>(data)->configured_ = true;
        }};
    xdg_surface_add_listener(surface_, &listener, this);
    // The compositor may wish another size, or wish to close the window. The tests do neither.
    static const xdg_toplevel_listener ignored = {
        .configure = [](void*, xdg_toplevel*, int32_t, int32_t, wl_array*) {},
        .close = [](void*, xdg_toplevel*) {}};
    xdg_toplevel_add_listener(toplevel_, &ignored, nullptr);
    wl_surface_commit(surface);
    while (!configured_ && wl_display_dispatch(display) >= 0) {
    }
}

Toplevel::~Toplevel() {
    xdg_toplevel_destroy(toplevel_);
    xdg_surface_destroy(surface_);
}

} // namespace fencebridge::test
