// SPDX-License-Identifier: MIT
#include "grid.hpp"

#include <algorithm>

#include "still/failure.hpp"

namespace fencebridge::bench {
namespace {

constexpr uint32_t most_columns = 4;

} // namespace

Grid::Grid(still::Connection& connection, uint32_t surfaces, Size each) :
    each_(each), columns_(std::min(surfaces, most_columns)),
    rows_((surfaces + columns_ - 1) / columns_),
    background_(wl_compositor_create_surface(connection.compositor())) {
    if (!connection.subcompositor() || !connection.viewporter() || !connection.pixel_buffers())
        throw still::Unsupported("the compositor lacks wl_subcompositor, wp_viewporter or "
                                 "wp_single_pixel_buffer_manager_v1");
    for (uint32_t i = 0; i < surfaces; ++i)
        add_pane(connection, int32_t(i % columns_ * each_.width),
                 int32_t(i / columns_ * each_.height));
    add_role(connection);
    // xdg-shell requires a first commit without a buffer. A buffer may be attached after the
    // configure event that answers this commit has been acknowledged.
    wl_surface_commit(background_.get());
    while (!configured_ && !connection.stop_requested())
        connection.wait();
    show_background(connection);
}

void Grid::add_pane(still::Connection& connection, int32_t x, int32_t y) {
    Pane& pane = panes_.emplace_back();
    pane.surface.reset(wl_compositor_create_surface(connection.compositor()));
    pane.role.reset(wl_subcompositor_get_subsurface(connection.subcompositor(), pane.surface.get(),
                                                    background_.get()));
    wl_subsurface_set_position(pane.role.get(), x, y);
    // A subsurface starts synchronised: its commits would wait for the parent's next one.
    wl_subsurface_set_desync(pane.role.get());
}

void Grid::add_role(still::Connection& connection) {
    xdg_surface_.reset(xdg_wm_base_get_xdg_surface(connection.wm_base(), background_.get()));
    static constexpr xdg_surface_listener surface_listener{
        .configure = [](void* data, xdg_surface* role, uint32_t serial) {
            xdg_surface_ack_configure(role, serial);
            static_cast<Grid*>(data)->configured_ = true;
        }};
    xdg_surface_add_listener(xdg_surface_.get(), &surface_listener, this);
    toplevel_.reset(xdg_surface_get_toplevel(xdg_surface_.get()));
    // Newer protocol files add members to the listener, which version 1 never calls. The size that
    // a compositor proposes is ignored, so that every run draws the same.
    static constexpr xdg_toplevel_listener toplevel_listener = [] {
        xdg_toplevel_listener listener{};
        listener.configure = [](void*, xdg_toplevel*, int32_t, int32_t, wl_array*) {};
        listener.close = [](void*, xdg_toplevel*) {};
        return listener;
    }();
    xdg_toplevel_add_listener(toplevel_.get(), &toplevel_listener, nullptr);
    xdg_toplevel_set_title(toplevel_.get(), "fencebridge-bench");
    xdg_toplevel_set_app_id(toplevel_.get(), "fencebridge-bench");
}

void Grid::show_background(still::Connection& connection) {
    viewport_.reset(wp_viewporter_get_viewport(connection.viewporter(), background_.get()));
    wp_viewport_set_destination(viewport_.get(), int32_t(columns_ * each_.width),
                                int32_t(rows_ * each_.height));
    pixel_.reset(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(
        connection.pixel_buffers(), 0, 0, 0, UINT32_MAX));
    wl_surface_attach(background_.get(), pixel_.get(), 0, 0);
    wl_surface_damage_buffer(background_.get(), 0, 0, 1, 1);
    wl_surface_commit(background_.get());
    wl_display_roundtrip(connection.display());
}

} // namespace fencebridge::bench
