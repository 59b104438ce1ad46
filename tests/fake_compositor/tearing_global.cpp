// SPDX-License-Identifier: MIT
// wp_tearing_control_manager_v1 and wp_tearing_control_v1.
#include "scene.hpp"

#include <tearing-control-v1-server-protocol.h>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

// Null once the surface is destroyed: the object is then inert.
ClientSurface* surface_of(wl_resource* control) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(control));
}

const struct wp_tearing_control_v1_interface control_requests = [] {
    struct wp_tearing_control_v1_interface requests {};
    requests.set_presentation_hint = [](wl_client*, wl_resource* control, uint32_t hint) {
        ClientSurface* surface = surface_of(control);
        if (!surface)
            return;
        if (hint > WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC)
            surface->scene->violation("a presentation hint that the protocol does not have");
        surface->pending.may_tear = hint == WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC;
    };
    requests.destroy = destroy_resource;
    return requests;
}();

// The destruction reverts the hint at the next commit.
void forget_control(wl_resource* control) {
    if (ClientSurface* surface = surface_of(control)) {
        surface->tearing_control = nullptr;
        surface->pending.may_tear = false;
    }
}

void get_tearing_control(wl_client* client, wl_resource* manager, uint32_t id,
                         wl_resource* wl_surface) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    if (surface->tearing_control) {
        wl_resource_post_error(manager, WP_TEARING_CONTROL_MANAGER_V1_ERROR_TEARING_CONTROL_EXISTS,
                               "the surface has one already");
        return;
    }
    surface->tearing_control = wl_resource_create(client, &wp_tearing_control_v1_interface, 1, id);
    wl_resource_set_implementation(surface->tearing_control, &control_requests, surface,
                                   forget_control);
}

const struct wp_tearing_control_manager_v1_interface manager_requests = [] {
    struct wp_tearing_control_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_tearing_control = get_tearing_control;
    return requests;
}();

} // namespace

void add_tearing_global(Scene& scene) {
    if (scene.script().globals.tearing == 0)
        return;
    auto bind = [](wl_client* client, void* data, uint32_t version, uint32_t id) {
        wl_resource* resource =
            wl_resource_create(client, &wp_tearing_control_manager_v1_interface, int(version), id);
        wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    };
    scene.set_tearing_global(wl_global_create(
        scene.display(), &wp_tearing_control_manager_v1_interface, 1, &scene, bind));
}

} // namespace fencebridge::test
