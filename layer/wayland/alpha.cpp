// SPDX-License-Identifier: MIT
#include "wayland/alpha.hpp"

#ifdef FENCEBRIDGE_HAVE_COLOR_REPRESENTATION_V1

#include "color-representation-v1-client-protocol.h"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

static_assert(row_of(Protocol::color_representation).exists_error ==
              WP_COLOR_REPRESENTATION_MANAGER_V1_ERROR_SURFACE_EXISTS);

void AlphaDestroyer::operator()(wp_color_representation_manager_v1* manager) const {
    wp_color_representation_manager_v1_destroy(manager);
}
void AlphaDestroyer::operator()(wp_color_representation_surface_v1* surface) const {
    wp_color_representation_surface_v1_destroy(surface);
}

struct AlphaManager::Handlers {
    static void supported_alpha_mode(void* data, wp_color_representation_manager_v1*,
                                     uint32_t mode) {
        if (mode == WP_COLOR_REPRESENTATION_SURFACE_V1_ALPHA_MODE_STRAIGHT)
            static_cast<AlphaManager*>(data)->straight_ = true;
    }
    static void supported_coefficients_and_ranges(void*, wp_color_representation_manager_v1*,
                                                  uint32_t, uint32_t) {}
    static void done(void* data, wp_color_representation_manager_v1*) {
        static_cast<AlphaManager*>(data)->done_ = true;
    }
};

void AlphaManager::bind(AnnouncedGlobal& global) {
    static constexpr wp_color_representation_manager_v1_listener listener = {
        .supported_alpha_mode = &Handlers::supported_alpha_mode,
        .supported_coefficients_and_ranges = &Handlers::supported_coefficients_and_ranges,
        .done = &Handlers::done,
    };
    if (manager_ || !global.is(wp_color_representation_manager_v1_interface))
        return;
    manager_.reset(global.bind<wp_color_representation_manager_v1>(
        wp_color_representation_manager_v1_interface, 1));
    if (manager_)
        wp_color_representation_manager_v1_add_listener(manager_.get(), &listener, this);
}

bool SurfaceAlpha::set_straight(const AlphaManager& manager, wl_surface* surface) {
    if (surface_)
        return true;
    surface_.reset(wp_color_representation_manager_v1_get_surface(manager.get(), surface));
    if (!surface_)
        return false;
    wp_color_representation_surface_v1_set_alpha_mode(
        surface_.get(), WP_COLOR_REPRESENTATION_SURFACE_V1_ALPHA_MODE_STRAIGHT);
    return true;
}

} // namespace fencebridge::wayland

#else // the protocol's file was not there at build time: nothing is ever bound

namespace fencebridge::wayland {

void AlphaDestroyer::operator()(wp_color_representation_manager_v1*) const {}
void AlphaDestroyer::operator()(wp_color_representation_surface_v1*) const {}

void AlphaManager::bind(AnnouncedGlobal&) {}
bool SurfaceAlpha::set_straight(const AlphaManager&, wl_surface*) { return false; }

} // namespace fencebridge::wayland

#endif
