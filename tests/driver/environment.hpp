// SPDX-License-Identifier: MIT
// Environment variables that are set while an object lives, among them those of the loader.
#pragma once

#include "environment_variable.hpp"

namespace fencebridge::test {

/// The loader finds only the fake driver, and no layer of the machine.
struct DriverEnvironment {
    EnvironmentVariable driver{"VK_DRIVER_FILES", FAKE_DRIVER_MANIFEST};
    EnvironmentVariable older_driver{"VK_ICD_FILENAMES", FAKE_DRIVER_MANIFEST};
    EnvironmentVariable no_implicit{"VK_LOADER_LAYERS_DISABLE", "~implicit~"};
    EnvironmentVariable no_layers{"VK_INSTANCE_LAYERS", ""};
};

/// The loader finds the fake driver and the layer of this build folder.
struct LayerEnvironment {
    DriverEnvironment driver;
    EnvironmentVariable path{"VK_LAYER_PATH", LAYER_MANIFEST_FOLDER};
    EnvironmentVariable layer{"VK_INSTANCE_LAYERS", "VK_LAYER_FENCEBRIDGE_wsi"};
    EnvironmentVariable log_level{"FENCEBRIDGE_LOG_LEVEL", "info"};
};

} // namespace fencebridge::test
