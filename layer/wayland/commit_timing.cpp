// SPDX-License-Identifier: MIT
#include "wayland/commit_timing.hpp"

#ifdef FENCEBRIDGE_HAVE_COMMIT_TIMING_V1

#include "commit-timing-v1-client-protocol.h"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

static_assert(row_of(Protocol::commit_timing).exists_error ==
              WP_COMMIT_TIMING_MANAGER_V1_ERROR_COMMIT_TIMER_EXISTS);

void CommitTimingDestroyer::operator()(wp_commit_timing_manager_v1* manager) const {
    wp_commit_timing_manager_v1_destroy(manager);
}
void CommitTimingDestroyer::operator()(wp_commit_timer_v1* timer) const {
    wp_commit_timer_v1_destroy(timer);
}

void CommitTimingManager::bind(AnnouncedGlobal& global) {
    if (global.is(wp_commit_timing_manager_v1_interface))
        manager_.reset(
            global.bind<wp_commit_timing_manager_v1>(wp_commit_timing_manager_v1_interface, 1));
}

bool CommitTimer::set(const CommitTimingManager& manager, wl_surface* surface,
                      core::PresentationTime time) {
    if (!timer_)
        timer_.reset(wp_commit_timing_manager_v1_get_timer(manager.manager_.get(), surface));
    if (!timer_)
        return false;
    const uint64_t nanoseconds = core::vulkan_time(time);
    const uint64_t seconds = nanoseconds / 1'000'000'000;
    wp_commit_timer_v1_set_timestamp(timer_.get(), static_cast<uint32_t>(seconds >> 32),
                                     static_cast<uint32_t>(seconds),
                                     static_cast<uint32_t>(nanoseconds % 1'000'000'000));
    return true;
}

} // namespace fencebridge::wayland

#else // the protocol's file was not there at build time: nothing is ever bound

namespace fencebridge::wayland {

void CommitTimingDestroyer::operator()(wp_commit_timing_manager_v1*) const {}
void CommitTimingDestroyer::operator()(wp_commit_timer_v1*) const {}

void CommitTimingManager::bind(AnnouncedGlobal&) {}
bool CommitTimer::set(const CommitTimingManager&, wl_surface*, core::PresentationTime) {
    return false;
}

} // namespace fencebridge::wayland

#endif
