// SPDX-License-Identifier: MIT
// wp_commit_timing_manager_v1 and wp_commit_timer_v1. Target times are recorded and delay nothing.
#include "scene.hpp"

#include <commit-timing-v1-server-protocol.h>

namespace fencebridge::test {
namespace {

constexpr uint32_t ns_per_second = 1'000'000'000;

void destroy_resource(wl_client*, wl_resource* resource) { wl_resource_destroy(resource); }

// Null once the surface is destroyed.
ClientSurface* surface_of(wl_resource* timer) {
    return static_cast<ClientSurface*>(wl_resource_get_user_data(timer));
}

void set_timestamp(wl_client*, wl_resource* timer, uint32_t sec_hi, uint32_t sec_lo,
                   uint32_t nsec) {
    ClientSurface* surface = surface_of(timer);
    if (!surface)
        wl_resource_post_error(timer, WP_COMMIT_TIMER_V1_ERROR_SURFACE_DESTROYED,
                               "the surface is gone");
    else if (nsec >= ns_per_second)
        wl_resource_post_error(timer, WP_COMMIT_TIMER_V1_ERROR_INVALID_TIMESTAMP, "tv_nsec is %u",
                               nsec);
    else if (surface->pending.target_time)
        wl_resource_post_error(timer, WP_COMMIT_TIMER_V1_ERROR_TIMESTAMP_EXISTS,
                               "the next commit has one already");
    else
        surface->pending.target_time = TargetTime{uint64_t(sec_hi) << 32 | sec_lo, nsec};
}

const struct wp_commit_timer_v1_interface timer_requests = [] {
    struct wp_commit_timer_v1_interface requests {};
    requests.set_timestamp = set_timestamp;
    requests.destroy = destroy_resource;
    return requests;
}();

void get_timer(wl_client* client, wl_resource* manager, uint32_t id, wl_resource* wl_surface) {
    auto* surface = static_cast<ClientSurface*>(wl_resource_get_user_data(wl_surface));
    if (surface->commit_timer) {
        wl_resource_post_error(manager, WP_COMMIT_TIMING_MANAGER_V1_ERROR_COMMIT_TIMER_EXISTS,
                               "the surface has one already");
        return;
    }
    surface->commit_timer = wl_resource_create(client, &wp_commit_timer_v1_interface, 1, id);
    // The timestamp of the next commit stays when its timer is destroyed.
    wl_resource_set_implementation(surface->commit_timer, &timer_requests, surface,
                                   [](wl_resource* timer) {
                                       if (ClientSurface* owner = surface_of(timer))
                                           owner->commit_timer = nullptr;
                                   });
}

const struct wp_commit_timing_manager_v1_interface manager_requests = [] {
    struct wp_commit_timing_manager_v1_interface requests {};
    requests.destroy = destroy_resource;
    requests.get_timer = get_timer;
    return requests;
}();

} // namespace

void add_commit_timing_global(Scene& scene) {
    if (scene.script().globals.commit_timing == 0)
        return;
    auto bind = [](wl_client* client, void* data, uint32_t version, uint32_t id) {
        wl_resource* resource =
            wl_resource_create(client, &wp_commit_timing_manager_v1_interface, int(version), id);
        wl_resource_set_implementation(resource, &manager_requests, data, nullptr);
    };
    scene.announce(wp_commit_timing_manager_v1_interface, 1, bind);
}

} // namespace fencebridge::test
