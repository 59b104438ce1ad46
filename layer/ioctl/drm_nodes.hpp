// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// The two kinds of DRM nodes of a device. Opening a primary node can make the process the master
/// of a display.
enum class NodeKind { primary, render };

/// A DRM node of this machine.
struct DrmNode {
    std::string path;
    dev_t number;
    bool preferred; ///< it belongs to the preferred device
};

/// Lists the DRM nodes of a kind. Those of the preferred device are first.
/// @param preferred  a primary or render node of that device
/// @return empty also if there is no /dev/dri; or ENOMEM, EMFILE, ENFILE
[[nodiscard]] std::expected<std::vector<DrmNode>, Errno> drm_nodes(NodeKind kind,
                                                                   std::optional<dev_t> preferred);

/// Opens a render node by its number.
/// @param number  VkPhysicalDeviceDrmPropertiesEXT::renderMajor and renderMinor
/// @return the error is that of the call that failed; ENODEV if the file of that name is another
///         node
[[nodiscard]] std::expected<Fd, Errno> open_render_node(dev_t number);

} // namespace fencebridge::ioctl
