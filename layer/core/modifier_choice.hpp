// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace fencebridge::core {

/// A DRM format (drm_fourcc.h) in one memory layout.
struct FormatModifier {
    uint32_t fourcc;
    uint64_t modifier;
    auto operator<=>(const FormatModifier&) const = default;
};

/// One tranche of zwp_linux_dmabuf_feedback_v1: layouts that are equally good to the compositor.
struct Tranche {
    /// The DRM device that the buffers go to; nothing for version 3 of the protocol.
    std::optional<dev_t> target_device;
    std::vector<FormatModifier> formats;
    bool operator==(const Tranche&) const = default;
};

/// What a compositor takes for a surface, the best tranche first.
struct DmabufFeedback {
    std::vector<Tranche> tranches;
    std::optional<dev_t> main_device = {}; ///< the DRM device that it works with; none in version 3
    bool operator==(const DmabufFeedback&) const = default;
};

/// The DRM nodes of the Vulkan device (VK_EXT_physical_device_drm); nothing when it does not tell.
struct DrmNodes {
    std::optional<dev_t> primary;
    std::optional<dev_t> render;
};

/// Whether the compositor works with other DRM devices alone, by what both sides tell. A tranche's
/// target may be another device than the main one, as for scanout.
[[nodiscard]] bool is_foreign(const DmabufFeedback& feedback, const DrmNodes& nodes);

/// The modifiers that both sides can do: a list for each tranche that has any, best first. Within
/// a list the driver may choose.
///
/// A tranche for another DRM device than the driver's is good for DRM_FORMAT_MOD_LINEAR alone: a
/// vendor's layout may differ between two of its devices. DRM_FORMAT_MOD_INVALID, a layout that
/// only the allocating driver knows, is never chosen.
///
/// @param driver  the modifiers that the driver can do for the images in question
[[nodiscard]] std::vector<std::vector<uint64_t>> choose_modifiers(const DmabufFeedback& feedback,
                                                                  uint32_t fourcc,
                                                                  std::span<const uint64_t> driver,
                                                                  const DrmNodes& nodes);

} // namespace fencebridge::core
