// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace fencebridge::core {

/// A point on the timeline of a DRM syncobj. A point *materialises* when somebody attaches a fence
/// to it. A point has signalled when its fence and the fences of all earlier points have signalled.
enum class TimelinePoint : uint64_t {};

/// The points of an image's two timelines that one commit names (linux-drm-syncobj-v1).
struct CommitPoints {
    TimelinePoint acquire; ///< the window system waits for this point before it reads the image
    TimelinePoint release; ///< the window system attaches a fence for the end of its reads here
};

} // namespace fencebridge::core
