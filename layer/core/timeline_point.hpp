// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fencebridge::core {

/// A point on the timeline of a DRM syncobj. It has *materialised* once a fence is there for it,
/// and has signalled when that fence and those of all earlier points have.
enum class TimelinePoint : uint64_t {};

/// What a commit of one image tells a window system with explicit synchronisation, in points of the
/// image's two timelines (linux-drm-syncobj-v1).
struct CommitPoints {
    TimelinePoint acquire; ///< the window system may read the image from here on
    TimelinePoint release; ///< the window system puts the end of its reading here
};

} // namespace fencebridge::core
