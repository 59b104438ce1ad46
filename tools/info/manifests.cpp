// SPDX-License-Identifier: MIT
#include "info/manifests.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace fencebridge::info {

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr std::string_view layer_manifest = "VkLayer_FENCEBRIDGE_wsi.json";

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

Strings split(std::string_view list) {
    Strings parts;
    while (!list.empty()) {
        const size_t end = std::min(list.find(':'), list.size());
        if (end > 0)
            parts.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

void append(Strings& all, const Strings& more) { all.insert(all.end(), more.begin(), more.end()); }

Strings split_or(const char* name, const char* otherwise) {
    const std::string value = variable(name);
    return split(value.empty() ? otherwise : value);
}

/// The folders `vulkan/NAME` of the XDG base directories and of /etc.
Strings folders_of(const std::string& name) {
    const std::string home = variable("HOME");
    const auto in_home = [&](const char* xdg, const char* otherwise) -> Strings {
        const std::string value = variable(xdg);
        if (!value.empty())
            return {value};
        return home.empty() ? Strings() : Strings{home + otherwise};
    };
    Strings bases = in_home("XDG_CONFIG_HOME", "/.config");
    append(bases, split_or("XDG_CONFIG_DIRS", "/etc/xdg"));
    bases.emplace_back("/etc");
    append(bases, in_home("XDG_DATA_HOME", "/.local/share"));
    append(bases, split_or("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
    Strings folders;
    for (const std::string& base : bases) {
        std::string folder = base + "/vulkan/" + name;
        if (std::ranges::find(folders, folder) == folders.end())
            folders.push_back(std::move(folder));
    }
    return folders;
}

/// The files of a place with such a name. A place is a folder or a file.
Strings files_at(const std::string& place, auto&& matches) {
    std::error_code error;
    if (fs::is_regular_file(place, error))
        return matches(fs::path(place)) ? Strings{place} : Strings();
    Strings files;
    for (const auto& entry : fs::directory_iterator(place, error)) {
        if (matches(entry.path()))
            files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

Manifests find_at(Strings places, auto&& matches) {
    Manifests manifests;
    for (const std::string& place : places)
        append(manifests.found, files_at(place, matches));
    manifests.places = std::move(places);
    return manifests;
}

} // namespace

Manifests find_drivers() {
    Strings places = split(variable("VK_ADD_DRIVER_FILES"));
    // VK_ICD_FILENAMES is the older name.
    Strings instead = split(variable("VK_DRIVER_FILES"));
    if (instead.empty())
        instead = split(variable("VK_ICD_FILENAMES"));
    append(places, instead.empty() ? folders_of("icd.d") : instead);
    return find_at(std::move(places),
                   [](const fs::path& path) { return path.extension() == ".json"; });
}

Manifests find_layer() {
    Strings places = split(variable("VK_ADD_LAYER_PATH"));
    const Strings instead = split(variable("VK_LAYER_PATH"));
    append(places, instead.empty() ? folders_of("explicit_layer.d") : instead);
    append(places, split(variable("VK_ADD_IMPLICIT_LAYER_PATH")));
    const Strings implicit = split(variable("VK_IMPLICIT_LAYER_PATH"));
    append(places, implicit.empty() ? folders_of("implicit_layer.d") : implicit);
    return find_at(std::move(places),
                   [](const fs::path& path) { return path.filename() == layer_manifest; });
}

} // namespace fencebridge::info
