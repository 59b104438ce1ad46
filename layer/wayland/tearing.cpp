// SPDX-License-Identifier: MIT
#include "wayland/tearing.hpp"

#ifdef FENCEBRIDGE_HAVE_TEARING_CONTROL_V1

#include "tearing-control-v1-client-protocol.h"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

static_assert(row_of(Protocol::tearing_control).exists_error ==
              WP_TEARING_CONTROL_MANAGER_V1_ERROR_TEARING_CONTROL_EXISTS);

void TearingDestroyer::operator()(wp_tearing_control_manager_v1* manager) const {
    wp_tearing_control_manager_v1_destroy(manager);
}
void TearingDestroyer::operator()(wp_tearing_control_v1* control) const {
    wp_tearing_control_v1_destroy(control);
}

void TearingManager::bind(AnnouncedGlobal& global) {
    if (global.is(wp_tearing_control_manager_v1_interface))
        manager_.reset(
            global.bind<wp_tearing_control_manager_v1>(wp_tearing_control_manager_v1_interface, 1));
}

void TearingControl::set(const TearingManager& manager, wl_surface* surface, bool may_tear) {
    if (may_tear == may_tear_)
        return;
    if (!control_)
        control_.reset(
            wp_tearing_control_manager_v1_get_tearing_control(manager.manager_.get(), surface));
    if (!control_)
        return;
    wp_tearing_control_v1_set_presentation_hint(
        control_.get(), may_tear ? WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC
                                 : WP_TEARING_CONTROL_V1_PRESENTATION_HINT_VSYNC);
    may_tear_ = may_tear;
}

} // namespace fencebridge::wayland

#else // the protocol's file was not there at build time: nothing is ever bound

namespace fencebridge::wayland {

void TearingDestroyer::operator()(wp_tearing_control_manager_v1*) const {}
void TearingDestroyer::operator()(wp_tearing_control_v1*) const {}

void TearingManager::bind(AnnouncedGlobal&) {}
void TearingControl::set(const TearingManager&, wl_surface*, bool) {}

} // namespace fencebridge::wayland

#endif
