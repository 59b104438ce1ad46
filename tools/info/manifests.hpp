// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

// Where the Vulkan loader looks for drivers and layers (docs/LoaderDriverInterface.md and
// docs/LoaderLayerInterface.md of Vulkan-Loader). The loader decides; this says where it has
// looked.

namespace fencebridge::info {

/// Files that were found, and the folders and files that were looked at, in their order.
struct Manifests {
    std::vector<std::string> found;
    std::vector<std::string> places;
};

/// The manifests of drivers.
[[nodiscard]] Manifests find_drivers();

/// The manifests of the layer: files of its name.
[[nodiscard]] Manifests find_layer();

} // namespace fencebridge::info
