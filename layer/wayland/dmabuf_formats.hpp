// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>
#include <vector>

#include "core/layout_choice.hpp"

namespace fencebridge::wayland {

/// A DRM format (drm_fourcc.h) in one memory layout.
struct FormatModifier {
    uint32_t fourcc;
    uint64_t modifier;
    auto operator<=>(const FormatModifier&) const = default;
};

/// One tranche of zwp_linux_dmabuf_feedback_v1: layouts that are equally good to the compositor.
struct Tranche {
    /// The DRM device that imports the buffers. Version 3 of the protocol does not name one.
    std::optional<dev_t> target_device;
    std::vector<FormatModifier> formats;
    bool operator==(const Tranche&) const = default;
};

/// The formats and modifiers of the dma-bufs that a compositor imports for a surface.
struct DmabufFormats {
    std::vector<Tranche> tranches; ///< the best first
    /// The DRM device that the compositor renders with. Version 3 of the protocol does not name it.
    std::optional<dev_t> main_device = {};
    bool operator==(const DmabufFormats&) const = default;
};

/// Whether the driver and the compositor both name DRM devices, and have none in common. The
/// compositor names its main device and the target device of each tranche. These may differ, as for
/// scanout.
[[nodiscard]] bool is_foreign(const DmabufFormats& formats, const core::DrmNodes& nodes);

/// The layouts that the compositor accepts for one format: a rank for each tranche that has any.
///
/// Of a tranche for another DRM device than the driver's, only DRM_FORMAT_MOD_LINEAR is used: a
/// vendor's layout may differ between two of its devices. DRM_FORMAT_MOD_INVALID is a layout that
/// only the driver knows: of use to a driver without modifiers.
[[nodiscard]] std::vector<core::LayoutRank>
rank_layouts(const DmabufFormats& formats, uint32_t fourcc, const core::DrmNodes& nodes);

} // namespace fencebridge::wayland
