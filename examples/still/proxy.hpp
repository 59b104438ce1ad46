// SPDX-License-Identifier: MIT
// Owners for Wayland objects.
#pragma once

#include <memory>

#include <wayland-client.h>

#include "single-pixel-buffer-v1-client-protocol.h"
#include "viewporter-client-protocol.h"
#include "xdg-shell-client-protocol.h"

// A struct and a function of this protocol have the same name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "presentation-time-client-protocol.h"
#pragma GCC diagnostic pop

namespace fencebridge::still {

// Knows the destructor of every kind of object that the program owns.
struct ProxyDeleter {
    void operator()(wl_display* display) const { wl_display_disconnect(display); }
    void operator()(wl_registry* registry) const { wl_registry_destroy(registry); }
    void operator()(wl_compositor* compositor) const { wl_compositor_destroy(compositor); }
    void operator()(wl_subcompositor* factory) const { wl_subcompositor_destroy(factory); }
    void operator()(wl_surface* surface) const { wl_surface_destroy(surface); }
    void operator()(wl_subsurface* role) const { wl_subsurface_destroy(role); }
    void operator()(wl_buffer* buffer) const { wl_buffer_destroy(buffer); }
    void operator()(wl_callback* callback) const { wl_callback_destroy(callback); }
    void operator()(xdg_wm_base* factory) const { xdg_wm_base_destroy(factory); }
    void operator()(xdg_surface* role) const { xdg_surface_destroy(role); }
    void operator()(xdg_toplevel* role) const { xdg_toplevel_destroy(role); }
    void operator()(wp_viewporter* factory) const { wp_viewporter_destroy(factory); }
    void operator()(wp_viewport* viewport) const { wp_viewport_destroy(viewport); }
    void operator()(wp_single_pixel_buffer_manager_v1* factory) const {
        wp_single_pixel_buffer_manager_v1_destroy(factory);
    }
    void operator()(wp_presentation* factory) const { wp_presentation_destroy(factory); }
    void operator()(struct wp_presentation_feedback* feedback) const {
        wp_presentation_feedback_destroy(feedback);
    }
};

template <typename T>
using Proxy = std::unique_ptr<T, ProxyDeleter>;

} // namespace fencebridge::still
