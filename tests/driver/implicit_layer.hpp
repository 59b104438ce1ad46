// SPDX-License-Identifier: MIT
// The layer as an implicit layer of the machine.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "environment_variable.hpp"

namespace fencebridge::test {

/// A temporary folder for XDG_DATA_HOME, with the manifest in vulkan/implicit_layer.d.
class DataFolder {
public:
    explicit DataFolder(const char* manifest) {
        std::string name = std::filesystem::temp_directory_path() / "fencebridge-XXXXXX";
        path_ = mkdtemp(name.data());
        const auto folder = path_ / "vulkan/implicit_layer.d";
        std::filesystem::create_directories(folder);
        std::filesystem::copy_file(manifest, folder / "VkLayer_FENCEBRIDGE_wsi.json");
    }
    ~DataFolder() { std::filesystem::remove_all(path_); }
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;

    [[nodiscard]] std::string path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// The loader finds the manifest, and no environment names the layer.
struct ImplicitLayerEnvironment {
    explicit ImplicitLayerEnvironment(const char* manifest) : folder{manifest} {}

    DataFolder folder;
    EnvironmentVariable data{"XDG_DATA_HOME", folder.path()};
    EnvironmentVariable no_layers{"VK_INSTANCE_LAYERS", ""};
    // Disables implicit layers of the machine by name: ~implicit~ would disable this one as well.
    EnvironmentVariable no_others{"VK_LOADER_LAYERS_DISABLE", "VK_LAYER_MESA_*"};
};

} // namespace fencebridge::test
