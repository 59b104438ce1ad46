// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <wayland-client.h>

#include "sync/obstacle.hpp"
#include "util/fd.hpp"

namespace fencebridge::wayland {

/// Tries whether a compositor takes a syncobj for a timeline, on a connection of its own to the
/// socket that `display` is connected to: linux-drm-syncobj-v1 answers a refusal with a protocol
/// error, which ends the connection that it comes to. Two round trips.
/// @return or why not; a socket without a name cannot be connected to again
[[nodiscard]] std::expected<void, sync::Obstacle> try_timeline(wl_display* display,
                                                               const Fd& syncobj);

} // namespace fencebridge::wayland
