// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <wayland-client.h>

#include "wayland/announced_global.hpp"

// Not in every build's protocol headers.
struct wp_tearing_control_manager_v1;
struct wp_tearing_control_v1;

namespace fencebridge::wayland {

struct TearingDestroyer {
    void operator()(wp_tearing_control_manager_v1* manager) const;
    void operator()(wp_tearing_control_v1* control) const;
};

/// The global of tearing-control-v1, if the build and the compositor have it.
class TearingManager {
public:
    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);

    [[nodiscard]] explicit operator bool() const { return manager_ != nullptr; }

private:
    friend class TearingControl;

    std::unique_ptr<wp_tearing_control_manager_v1, TearingDestroyer> manager_;
};

/// A wl_surface's wp_tearing_control_v1, of which it can have one at a time. It is created by the
/// first commit that may tear. Its destruction reverts the hint at the surface's next commit.
class TearingControl {
public:
    /// Sets the presentation hint for the next commit and all later ones. Makes a request only if
    /// the hint changes. Called between the requests of one commit.
    ///
    /// If libwayland cannot allocate the object, the commit does not tear, and the next one tries
    /// again: the protocol allows a compositor to ignore the hint.
    /// @param manager   not empty if `may_tear`
    /// @param may_tear  `async`; else `vsync`, the hint of a surface without this object
    void set(const TearingManager& manager, wl_surface* surface, bool may_tear);
    /// Destroys the object.
    void reset() {
        control_.reset();
        may_tear_ = false;
    }

private:
    std::unique_ptr<wp_tearing_control_v1, TearingDestroyer> control_;
    bool may_tear_ = false; ///< the hint that was set last
};

} // namespace fencebridge::wayland
