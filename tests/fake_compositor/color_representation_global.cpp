// SPDX-License-Identifier: MIT
// wp_color_representation_manager_v1 and wp_color_representation_surface_v1, without YCbCr.
#include "scene.hpp"

#include <color-representation-v1-server-protocol.h>

#include <algorithm>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

// Null once the surface is destroyed.
ClientSurface* surface_of(wl_resource* representation) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(representation));
}

void fail(wl_resource* resource, uint32_t code, const char* text) {
    wl_resource_post_error(resource, code, "%s", text);
}

void set_alpha_mode(wl_client*, wl_resource* representation, uint32_t mode) {
    ClientSurface* surface = surface_of(representation);
    if (!surface) {
        fail(representation, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_INERT, "the surface is gone");
        return;
    }
    const std::vector<uint32_t>& modes = surface->scene->script().alpha_modes;
    if (std::ranges::find(modes, mode) == modes.end())
        fail(representation, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_ALPHA_MODE, "not listed");
    else
        surface->alpha_mode = mode;
}

const struct wp_color_representation_surface_v1_interface surface_requests = [] {
    struct wp_color_representation_surface_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.set_alpha_mode = set_alpha_mode;
    requests.set_coefficients_and_range = [](wl_client*, wl_resource* representation, uint32_t,
                                             uint32_t) {
        fail(representation, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_COEFFICIENTS, "not listed");
    };
    requests.set_chroma_location = [](wl_client*, wl_resource* representation, uint32_t) {
        fail(representation, WP_COLOR_REPRESENTATION_SURFACE_V1_ERROR_PIXEL_FORMAT, "not YCbCr");
    };
    return requests;
}();

void get_surface(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* wl_surface) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    if (surface->representation) {
        fail(manager, WP_COLOR_REPRESENTATION_MANAGER_V1_ERROR_SURFACE_EXISTS,
             "the surface has one already");
        return;
    }
    surface->representation =
        wl_resource_create(client, &wp_color_representation_surface_v1_interface, 1, id);
    wl_resource_set_implementation(surface->representation, &surface_requests, surface,
                                   [](wl_resource* representation) {
                                       if (ClientSurface* owner = surface_of(representation)) {
                                           owner->representation = nullptr;
                                           owner->alpha_mode.reset();
                                       }
                                   });
}

const struct wp_color_representation_manager_v1_interface manager_requests = [] {
    struct wp_color_representation_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_surface = get_surface;
    return requests;
}();

void bind_manager(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* resource =
        wl_resource_create(client, &wp_color_representation_manager_v1_interface, int(version), id);
    wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    for (const uint32_t mode : static_cast<Scene*>(data)->script().alpha_modes)
        wp_color_representation_manager_v1_send_supported_alpha_mode(resource, mode);
    wp_color_representation_manager_v1_send_done(resource);
}

} // namespace

void add_color_representation_global(Scene& scene) {
    if (scene.script().globals.color_representation > 0)
        scene.announce(wp_color_representation_manager_v1_interface, 1, bind_manager);
}

} // namespace fencebridge::test
