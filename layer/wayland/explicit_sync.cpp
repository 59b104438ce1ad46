// SPDX-License-Identifier: MIT
#include "wayland/explicit_sync.hpp"

#ifdef FENCEBRIDGE_HAVE_LINUX_DRM_SYNCOBJ_V1

#include "linux-drm-syncobj-v1-client-protocol.h"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

static_assert(row_of(Protocol::syncobj).exists_error ==
              WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_SURFACE_EXISTS);

void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_manager_v1* manager) const {
    wp_linux_drm_syncobj_manager_v1_destroy(manager);
}
void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_surface_v1* surface) const {
    wp_linux_drm_syncobj_surface_v1_destroy(surface);
}
void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_timeline_v1* timeline) const {
    wp_linux_drm_syncobj_timeline_v1_destroy(timeline);
}

void ExplicitSyncManager::bind(AnnouncedGlobal& global) {
    if (global.is(wp_linux_drm_syncobj_manager_v1_interface))
        manager_.reset(global.bind<wp_linux_drm_syncobj_manager_v1>(
            wp_linux_drm_syncobj_manager_v1_interface, 1));
}

std::expected<void, std::string> ExplicitSyncManager::usable() const {
    if (!manager_)
        return std::unexpected("the compositor has no linux-drm-syncobj-v1");
    return {};
}

Timelines ExplicitSyncManager::import(const sync::ImageTimelines& timelines) const {
    if (!manager_)
        return {};
    const auto import = [&](const Fd& syncobj) {
        return Timelines::Timeline(
            wp_linux_drm_syncobj_manager_v1_import_timeline(manager_.get(), syncobj.get()));
    };
    return {.acquire = import(timelines.acquire), .release = import(timelines.release)};
}

wp_linux_drm_syncobj_surface_v1* ExplicitSyncManager::get_surface(wl_surface* surface) const {
    return manager_ ? wp_linux_drm_syncobj_manager_v1_get_surface(manager_.get(), surface)
                    : nullptr;
}

bool SyncobjSurface::set_points(const ExplicitSyncManager& manager, wl_surface* surface,
                                const Timelines& timelines, const core::CommitPoints& points) {
    if (!surface_)
        surface_.reset(manager.get_surface(surface));
    if (!surface_)
        return false;
    const auto high = [](core::TimelinePoint point) {
        return static_cast<uint32_t>(static_cast<uint64_t>(point) >> 32);
    };
    const auto low = [](core::TimelinePoint point) { return static_cast<uint32_t>(point); };
    wp_linux_drm_syncobj_surface_v1_set_acquire_point(surface_.get(), timelines.acquire.get(),
                                                      high(points.acquire), low(points.acquire));
    wp_linux_drm_syncobj_surface_v1_set_release_point(surface_.get(), timelines.release.get(),
                                                      high(points.release), low(points.release));
    return true;
}

} // namespace fencebridge::wayland

#else // the protocol's file was not there at build time: nothing is ever bound

namespace fencebridge::wayland {

void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_manager_v1*) const {}
void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_surface_v1*) const {}
void SyncobjDestroyer::operator()(wp_linux_drm_syncobj_timeline_v1*) const {}

void ExplicitSyncManager::bind(AnnouncedGlobal&) {}
std::expected<void, std::string> ExplicitSyncManager::usable() const {
    return std::unexpected("this build of the layer has no linux-drm-syncobj-v1");
}
Timelines ExplicitSyncManager::import(const sync::ImageTimelines&) const { return {}; }
wp_linux_drm_syncobj_surface_v1* ExplicitSyncManager::get_surface(wl_surface*) const {
    return nullptr;
}
bool SyncobjSurface::set_points(const ExplicitSyncManager&, wl_surface*, const Timelines&,
                                const core::CommitPoints&) {
    return false;
}

} // namespace fencebridge::wayland

#endif
