// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <wayland-client.h>

#include "core/timeline_point.hpp"
#include "sync/bridge.hpp"

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

/// The global of linux-drm-syncobj-v1, where build and compositor have it.
class ExplicitSyncManager {
public:
    /// For a global of the registry: binds it, if it is the protocol's.
    void bind(wl_registry* registry, uint32_t name, const char* interface);

    /// Nothing, or why the protocol cannot be used here, in words.
    [[nodiscard]] std::expected<void, std::string> usable() const;

    /// A compositor that cannot import a timeline ends the connection.
    /// @return null timelines when memory is out, or the protocol cannot be used
    [[nodiscard]] Timelines import(const sync::ImageTimelines& timelines) const;

    /// Extends a surface, which can be extended once at a time.
    /// @return null when memory is out, or the protocol cannot be used
    [[nodiscard]] wp_linux_drm_syncobj_surface_v1* get_surface(wl_surface* surface) const;

private:
    std::unique_ptr<wp_linux_drm_syncobj_manager_v1, SyncobjDestroyer> manager_;
};

/// linux-drm-syncobj-v1 for one wl_surface. Used between the requests of one commit.
class ExplicitSync {
public:
    /// The commit's buffer is read and released by these points.
    /// @return false when memory is out
    [[nodiscard]] bool set_points(const ExplicitSyncManager& manager, wl_surface* surface,
                                  const Timelines& timelines, const core::CommitPoints& points);
    /// The commit's buffer has no points: from here on its fences travel with it. The protocol
    /// demands points of every commit while the surface is extended by it.
    void set_none() { surface_.reset(); }

private:
    std::unique_ptr<wp_linux_drm_syncobj_surface_v1, SyncobjDestroyer> surface_;
};

} // namespace fencebridge::wayland
