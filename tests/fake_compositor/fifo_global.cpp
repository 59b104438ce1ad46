// SPDX-License-Identifier: MIT
// wp_fifo_manager_v1 and wp_fifo_v1.
#include "scene.hpp"

#include <fifo-v1-server-protocol.h>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

// Null once the surface is destroyed.
ClientSurface* surface_of(wl_resource* fifo) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(fifo));
}

Update* pending_of(wl_resource* fifo) {
    if (ClientSurface* surface = surface_of(fifo))
        return &surface->pending;
    wl_resource_post_error(fifo, WP_FIFO_V1_ERROR_SURFACE_DESTROYED, "the surface is gone");
    return nullptr;
}

const struct wp_fifo_v1_interface fifo_requests = [] {
    struct wp_fifo_v1_interface requests {};
    requests.set_barrier = [](wl_client*, wl_resource* fifo) {
        if (Update* pending = pending_of(fifo))
            pending->fifo_set_barrier = true;
    };
    requests.wait_barrier = [](wl_client*, wl_resource* fifo) {
        if (Update* pending = pending_of(fifo))
            pending->fifo_wait_barrier = true;
    };
    requests.destroy = destroy_resource;
    return requests;
}();

void get_fifo(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* wl_surface) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    if (surface->fifo) {
        wl_resource_post_error(manager, WP_FIFO_MANAGER_V1_ERROR_ALREADY_EXISTS, "already there");
        return;
    }
    surface->fifo = wl_resource_create(client, &wp_fifo_v1_interface, 1, id);
    wl_resource_set_implementation(surface->fifo, &fifo_requests, surface, [](wl_resource* fifo) {
        if (ClientSurface* owner = surface_of(fifo))
            owner->fifo = nullptr;
    });
}

const struct wp_fifo_manager_v1_interface manager_requests = [] {
    struct wp_fifo_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_fifo = get_fifo;
    return requests;
}();

} // namespace

void add_fifo_global(Scene& scene) {
    if (scene.script().globals.fifo == 0)
        return;
    auto bind = [](wl_client* client, void* data, uint32_t version, uint32_t id) {
        wl_resource* resource =
            wl_resource_create(client, &wp_fifo_manager_v1_interface, int(version), id);
        wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    };
    scene.announce(wp_fifo_manager_v1_interface, 1, bind);
}

} // namespace fencebridge::test
