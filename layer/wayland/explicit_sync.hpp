// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <wayland-client.h>

#include "core/timeline_point.hpp"
#include "sync/bridge.hpp"
#include "util/locked.hpp"

// Not in every build's protocol headers.
struct wp_linux_drm_syncobj_manager_v1;
struct wp_linux_drm_syncobj_surface_v1;
struct wp_linux_drm_syncobj_timeline_v1;

namespace fencebridge::wayland {

struct SyncobjDestroyer {
    void operator()(wp_linux_drm_syncobj_manager_v1* manager) const;
    void operator()(wp_linux_drm_syncobj_surface_v1* surface) const;
    void operator()(wp_linux_drm_syncobj_timeline_v1* timeline) const;
};

/// An image's two timelines as the compositor knows them.
struct Timelines {
    using Timeline = std::unique_ptr<wp_linux_drm_syncobj_timeline_v1, SyncobjDestroyer>;
    Timeline acquire;
    Timeline release;
};

/// linux-drm-syncobj-v1 for one wl_surface, where build and compositor have it.
class ExplicitSync {
public:
    /// For a global of the registry: binds it, if it is the protocol's.
    void bind(wl_registry* registry, uint32_t name, const char* interface);

    /// Nothing, or why the protocol cannot be used here, in words.
    [[nodiscard]] std::expected<void, std::string> usable() const;

    /// Tries once whether the compositor takes a syncobj for a timeline, without risk for the
    /// connection: timeline_trial.hpp. Asked once.
    [[nodiscard]] std::expected<void, sync::Obstacle> try_timeline(wl_display* display,
                                                                   const Fd& syncobj);

    /// @return null timelines when memory is out
    [[nodiscard]] Timelines import(const sync::ImageTimelines& timelines) const;

    // Between the requests of one commit:

    /// The commit's buffer is read and let go by these points.
    /// @return false when memory is out
    [[nodiscard]] bool set_points(wl_surface* surface, const Timelines& timelines,
                                  const core::CommitPoints& points);
    /// The commit's buffer has no points: from here on its fences travel with it. The protocol
    /// demands points of every commit while the surface is extended by it.
    void set_none() { surface_.reset(); }

private:
    std::unique_ptr<wp_linux_drm_syncobj_manager_v1, SyncobjDestroyer> manager_;
    std::unique_ptr<wp_linux_drm_syncobj_surface_v1, SyncobjDestroyer> surface_;
    std::atomic<bool> taken_ = false;
    Locked<std::optional<std::string>> refusal_; ///< why it was not, which stays so
};

} // namespace fencebridge::wayland
