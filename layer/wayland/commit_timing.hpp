// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <wayland-client.h>

#include "core/presentation_time.hpp"
#include "wayland/announced_global.hpp"

// Not in every build's protocol headers.
struct wp_commit_timing_manager_v1;
struct wp_commit_timer_v1;

namespace fencebridge::wayland {

struct CommitTimingDestroyer {
    void operator()(wp_commit_timing_manager_v1* manager) const;
    void operator()(wp_commit_timer_v1* timer) const;
};

/// The global of commit-timing-v1, if the build and the compositor have it.
class CommitTimingManager {
public:
    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);

    [[nodiscard]] explicit operator bool() const { return manager_ != nullptr; }

private:
    friend class CommitTimer;

    std::unique_ptr<wp_commit_timing_manager_v1, CommitTimingDestroyer> manager_;
};

/// A wl_surface's wp_commit_timer_v1, of which it can have one at a time. It is created by the
/// first commit that has a time. Its destruction leaves the times of earlier commits as they are.
class CommitTimer {
public:
    /// The compositor is not to show the next commit before this time. Called between the requests
    /// of one commit, once at most.
    ///
    /// @param manager  not empty
    /// @param time     on the clock of wp_presentation.clock_id. One before the clock's start means
    ///                 its start
    /// @return false if libwayland cannot allocate the object: the image would be shown too early
    [[nodiscard]] bool set(const CommitTimingManager& manager, wl_surface* surface,
                           core::PresentationTime time);
    /// Destroys the object.
    void reset() { timer_.reset(); }

private:
    std::unique_ptr<wp_commit_timer_v1, CommitTimingDestroyer> timer_;
};

} // namespace fencebridge::wayland
