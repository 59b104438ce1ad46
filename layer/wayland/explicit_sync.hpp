// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <wayland-client.h>

#include "core/timeline_point.hpp"
#include "sync/bridge.hpp"
#include "wayland/announced_global.hpp"

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

/// An image's two timelines, as imported into the compositor.
struct Timelines {
    using Timeline = std::unique_ptr<wp_linux_drm_syncobj_timeline_v1, SyncobjDestroyer>;
    Timeline acquire;
    Timeline release;
};

/// The global of linux-drm-syncobj-v1, if the build and the compositor have it.
class ExplicitSyncManager {
public:
    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);

    /// @return nothing; or the reason why the protocol cannot be used here, for the log
    [[nodiscard]] std::expected<void, std::string> usable() const;

    /// Imports an image's timelines. A compositor that cannot import one ends the connection.
    /// @return null timelines if memory could not be allocated or the protocol cannot be used
    [[nodiscard]] Timelines import(const sync::ImageTimelines& timelines) const;

    /// Creates the surface's wp_linux_drm_syncobj_surface_v1, of which it can have one at a time.
    /// @return null if memory could not be allocated or the protocol cannot be used
    [[nodiscard]] wp_linux_drm_syncobj_surface_v1* get_surface(wl_surface* surface) const;

private:
    std::unique_ptr<wp_linux_drm_syncobj_manager_v1, SyncobjDestroyer> manager_;
};

/// A wl_surface's wp_linux_drm_syncobj_surface_v1. Its functions are called between the requests of
/// one commit.
class SyncobjSurface {
public:
    /// Sets the acquire and the release point of the next commit.
    /// @return false if memory could not be allocated
    [[nodiscard]] bool set_points(const ExplicitSyncManager& manager, wl_surface* surface,
                                  const Timelines& timelines, const core::CommitPoints& points);
    /// The next commit has no points; its fences travel with the buffer. Destroys the surface's
    /// object, since the protocol requires points for every commit while it exists.
    void set_none() { surface_.reset(); }

private:
    std::unique_ptr<wp_linux_drm_syncobj_surface_v1, SyncobjDestroyer> surface_;
};

} // namespace fencebridge::wayland
