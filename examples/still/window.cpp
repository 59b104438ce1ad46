// SPDX-License-Identifier: MIT
#include "window.hpp"

#include <algorithm>
#include <span>

#include "failure.hpp"

namespace fencebridge::still {

namespace {

// Converts 8 bits to the 32 bits of wp_single_pixel_buffer_manager_v1, ff to ffffffff.
uint32_t channel(uint32_t rgb, unsigned shift) { return (rgb >> shift & 0xff) * 0x01010101u; }

} // namespace

Window::Window(Connection& connection, Size size, const Options& options) :
    size_(size), base_(wl_compositor_create_surface(connection.compositor())) {
    if (options.backdrop)
        add_backdrop(connection, *options.backdrop);

    xdg_surface_.reset(xdg_wm_base_get_xdg_surface(connection.wm_base(), base_.get()));
    static constexpr xdg_surface_listener surface_listener{
        .configure = [](void* data, xdg_surface*, uint32_t serial) {
            static_cast<Window*>(data)->configure(serial);
        }};
    xdg_surface_add_listener(xdg_surface_.get(), &surface_listener, this);

    toplevel_.reset(xdg_surface_get_toplevel(xdg_surface_.get()));
    // With newer protocol files the listener has more members. Version 1 never calls them.
    static constexpr xdg_toplevel_listener toplevel_listener = [] {
        xdg_toplevel_listener listener{};
        listener.configure = [](void* data, xdg_toplevel*, int32_t width, int32_t height,
                                wl_array* states) {
            static_cast<Window*>(data)->propose(width, height, *states);
        };
        listener.close = [](void* data, xdg_toplevel*) {
            static_cast<Window*>(data)->closed_ = true;
        };
        return listener;
    }();
    xdg_toplevel_add_listener(toplevel_.get(), &toplevel_listener, this);
    xdg_toplevel_set_title(toplevel_.get(), "fencebridge-still");
    xdg_toplevel_set_app_id(toplevel_.get(), "fencebridge-still");
    if (options.fullscreen)
        xdg_toplevel_set_fullscreen(toplevel_.get(), nullptr);

    // xdg-shell requires that the first commit has no buffer, and that no buffer is attached before
    // the client has acknowledged the configure event that answers that commit.
    wl_surface_commit(base_.get());
    while (!configured_ && !connection.stop_requested())
        connection.wait();
}

void Window::add_backdrop(Connection& connection, uint32_t rgb) {
    if (!connection.subcompositor() || !connection.viewporter() || !connection.pixel_buffers())
        throw Unsupported("--backdrop: the compositor lacks wl_subcompositor, wp_viewporter or "
                          "wp_single_pixel_buffer_manager_v1");
    base_viewport_.reset(wp_viewporter_get_viewport(connection.viewporter(), base_.get()));
    base_pixel_.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(
        connection.pixel_buffers(), channel(rgb, 16), channel(rgb, 8), channel(rgb, 0),
        UINT32_MAX));
    picture_.reset(wl_compositor_create_surface(connection.compositor()));
    subsurface_.reset(
        wl_subcompositor_get_subsurface(connection.subcompositor(), picture_.get(), base_.get()));
    // A subsurface is synchronised at first: its commits wait for the next commit of the parent.
    // This parent's next commit comes only with the next configure event.
    wl_subsurface_set_desync(subsurface_.get());
}

void Window::propose(int32_t width, int32_t height, const wl_array& states) {
    // Zero leaves the choice to the client.
    if (width > 0 && height > 0)
        proposed_.size = {uint32_t(width), uint32_t(height)};
    std::span all(static_cast<const uint32_t*>(states.data), states.size / sizeof(uint32_t));
    proposed_.fullscreen = std::ranges::find(all, XDG_TOPLEVEL_STATE_FULLSCREEN) != all.end();
}

void Window::configure(uint32_t serial) {
    xdg_surface_ack_configure(xdg_surface_.get(), serial);
    size_ = proposed_.size.value_or(size_);
    fullscreen_ = proposed_.fullscreen;
    configured_ = true;
    if (!picture_)
        return; // the next vkQueuePresentKHR commits what was acknowledged
    wp_viewport_set_destination(base_viewport_.get(), int32_t(size_.width), int32_t(size_.height));
    wl_surface_attach(base_.get(), base_pixel_.get(), 0, 0);
    wl_surface_damage_buffer(base_.get(), 0, 0, 1, 1);
    wl_surface_commit(base_.get());
}

void Window::watch_next_frame() {
    if (frame_callback_)
        return;
    frame_callback_.reset(wl_surface_frame(surface()));
    static constexpr wl_callback_listener listener{.done = [](void* data, wl_callback*, uint32_t) {
        auto* window = static_cast<Window*>(data);
        window->watched_frame_shown_ = true;
    }};
    wl_callback_add_listener(frame_callback_.get(), &listener, this);
}

} // namespace fencebridge::still
