// SPDX-License-Identifier: MIT
// wp_linux_drm_syncobj_manager_v1, and its checks of a wl_surface.commit. Timelines are real ones
// of a render node of the machine.
#include "scene.hpp"

#include <linux-drm-syncobj-v1-server-protocol.h>

namespace fencebridge::test {
namespace {

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

// --- wp_linux_drm_syncobj_timeline_v1 ---
using Timeline = std::shared_ptr<Syncobj>;

Timeline& timeline_of(wl_resource* timeline) {
    return *static_cast<Timeline*>(wl_resource_get_user_data(timeline));
}

const struct wp_linux_drm_syncobj_timeline_v1_interface timeline_requests = [] {
    struct wp_linux_drm_syncobj_timeline_v1_interface requests {};
    requests.destroy = destroy_resource;
    return requests;
}();

// --- wp_linux_drm_syncobj_surface_v1 ---

// Null once the surface is destroyed.
ClientSurface* surface_of(wl_resource* syncobj) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(syncobj));
}

void set_point(wl_resource* syncobj, std::optional<SyncPoint> Update::*which, wl_resource* timeline,
               uint32_t hi, uint32_t lo) {
    if (ClientSurface* surface = surface_of(syncobj))
        surface->pending.*which =
            SyncPoint{timeline_of(timeline), wl_resource_get_id(timeline), uint64_t(hi) << 32 | lo};
    else
        wl_resource_post_error(syncobj, WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_SURFACE,
                               "the surface is gone");
}

void forget_points(wl_resource* syncobj) {
    if (ClientSurface* surface = surface_of(syncobj)) {
        surface->syncobj = nullptr;
        surface->pending.acquire_point.reset();
        surface->pending.release_point.reset();
    }
}

const struct wp_linux_drm_syncobj_surface_v1_interface surface_requests = [] {
    struct wp_linux_drm_syncobj_surface_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.set_acquire_point = [](wl_client*, wl_resource* syncobj, wl_resource* timeline,
                                    uint32_t hi, uint32_t lo) {
        set_point(syncobj, &Update::acquire_point, timeline, hi, lo);
    };
    requests.set_release_point = [](wl_client*, wl_resource* syncobj, wl_resource* timeline,
                                    uint32_t hi, uint32_t lo) {
        set_point(syncobj, &Update::release_point, timeline, hi, lo);
    };
    return requests;
}();

// --- wp_linux_drm_syncobj_manager_v1 ---
Scene& scene_of(wl_resource* manager) {
    return *static_cast<Scene*>(wl_resource_get_user_data(manager));
}

void get_surface(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* wl_surface) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    if (surface->syncobj) {
        wl_resource_post_error(manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_SURFACE_EXISTS,
                               "the surface has one already");
        return;
    }
    surface->syncobj =
        wl_resource_create(client, &wp_linux_drm_syncobj_surface_v1_interface, 1, id);
    wl_resource_set_implementation(surface->syncobj, &surface_requests, surface, forget_points);
}

void import_timeline(wl_client* client, wl_resource* manager, uint32_t id, int32_t fd) {
    Fd owner(fd);
    Scene& scene = scene_of(manager);
    Timeline timeline =
        scene.refuses_timelines() ? nullptr : Syncobj::import(scene.drm_node(), owner.get());
    if (!timeline) {
        wl_resource_post_error(manager, WP_LINUX_DRM_SYNCOBJ_MANAGER_V1_ERROR_INVALID_TIMELINE,
                               "cannot be imported");
        return;
    }
    wl_resource* resource =
        wl_resource_create(client, &wp_linux_drm_syncobj_timeline_v1_interface, 1, id);
    wl_resource_set_implementation(resource, &timeline_requests, new Timeline(std::move(timeline)),
                                   [](wl_resource* dying) { delete &timeline_of(dying); });
}

const struct wp_linux_drm_syncobj_manager_v1_interface manager_requests = [] {
    struct wp_linux_drm_syncobj_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_surface = get_surface;
    requests.import_timeline = import_timeline;
    return requests;
}();

} // namespace

bool check_sync_points(const ClientSurface& surface) {
    if (!surface.syncobj)
        return true;
    auto fail = [&](uint32_t code, const char* text) {
        wl_resource_post_error(surface.syncobj, code, "%s", text);
        return false;
    };
    const Update& update = surface.pending;
    const std::optional<SyncPoint>& acquire = update.acquire_point;
    const std::optional<SyncPoint>& release = update.release_point;
    if (update.attached_shm)
        return fail(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_UNSUPPORTED_BUFFER, "not a dma-buf");
    if (!update.attached.value_or(nullptr)) {
        if (acquire || release)
            return fail(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_BUFFER, "points, but no buffer");
        return true;
    }
    if (!acquire)
        return fail(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_ACQUIRE_POINT, "no acquire point");
    if (!release)
        return fail(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_NO_RELEASE_POINT, "no release point");
    if (acquire->timeline == release->timeline && acquire->value >= release->value)
        return fail(WP_LINUX_DRM_SYNCOBJ_SURFACE_V1_ERROR_CONFLICTING_POINTS,
                    "released before it is acquired");
    return true;
}

void add_syncobj_global(Scene& scene) {
    if (!scene.drm_node())
        return;
    auto bind = [](wl_client* client, void* data, uint32_t version, uint32_t id) {
        wl_resource* resource = wl_resource_create(
            client, &wp_linux_drm_syncobj_manager_v1_interface, int(version), id);
        wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    };
    scene.announce(wp_linux_drm_syncobj_manager_v1_interface, 1, bind);
}

} // namespace fencebridge::test
