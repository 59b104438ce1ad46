// SPDX-License-Identifier: MIT
// Environment variables that are set while an object lives, among them those of the loader.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace fencebridge::test {

class EnvironmentVariable {
public:
    EnvironmentVariable(std::string name, const std::string& value) : name_{std::move(name)} {
        if (const char* const old = std::getenv(name_.c_str()))
            old_ = old;
        setenv(name_.c_str(), value.c_str(), 1);
    }
    ~EnvironmentVariable() {
        if (old_)
            setenv(name_.c_str(), old_->c_str(), 1);
        else
            unsetenv(name_.c_str());
    }
    EnvironmentVariable(const EnvironmentVariable&) = delete;
    EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

private:
    std::string name_;
    std::optional<std::string> old_;
};

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
