// SPDX-License-Identifier: MIT
#include "refreshes.hpp"

namespace fencebridge::bench {

Refreshes::Refreshes(still::Connection& connection, wl_surface* parent) :
    display_(connection.display()), queue_(wl_display_create_queue(display_)),
    pixel_(wp_single_pixel_buffer_manager_v1_create_u32_rgba_buffer(connection.pixel_buffers(), 0,
                                                                    0, 0, UINT32_MAX)),
    surface_(wl_compositor_create_surface(connection.compositor())),
    role_(wl_subcompositor_get_subsurface(connection.subcompositor(), surface_.get(), parent)) {
    // A frame callback has the queue of its surface.
    wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(surface_.get()), queue_.get());
    wl_subsurface_set_desync(role_.get());
    // A subsurface appears with its parent's next commit.
    wl_surface_commit(parent);
    commit();
    thread_ = std::thread([this] {
        while (!stopping_ && wl_display_dispatch_queue(display_, queue_.get()) >= 0)
            continue;
    });
}

Refreshes::~Refreshes() {
    stopping_ = true; // the next refresh is the last
    thread_.join();
}

void Refreshes::commit() {
    static constexpr wl_callback_listener listener{.done = [](void* data, wl_callback*, uint32_t) {
        static_cast<Refreshes*>(data)->refreshed();
    }};
    wl_surface_attach(surface_.get(), pixel_.get(), 0, 0);
    wl_surface_damage_buffer(surface_.get(), 0, 0, 1, 1);
    callback_.reset(wl_surface_frame(surface_.get()));
    wl_callback_add_listener(callback_.get(), &listener, this);
    wl_surface_commit(surface_.get());
    wl_display_flush(display_);
}

void Refreshes::refreshed() {
    ++count_;
    if (!stopping_)
        commit();
}

} // namespace fencebridge::bench
