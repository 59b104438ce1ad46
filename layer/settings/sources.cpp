// SPDX-License-Identifier: MIT
#include "settings/sources.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <concepts>
#include <cstdlib>
#include <fnmatch.h>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <sys/auxv.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include "settings/table.hpp"
#include "vk/chain.hpp"

namespace fencebridge {

namespace {

constexpr std::string_view layer_name = "VK_LAYER_FENCEBRIDGE_wsi";
constexpr std::string_view file_prefix = "fencebridge_wsi.";

/// The path of the settings file, in the order that the Vulkan SDK documents
/// (Vulkan-Utility-Libraries, docs/layer_configuration.md). Not called in setuid processes, which
/// must not trust the environment.
std::string find_settings_file() {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    const std::string file = "vk_layer_settings.txt";
    if (const std::string named = variable("VK_LAYER_SETTINGS_PATH"); !named.empty()) {
        const std::string inside = named + "/" + file;
        return ::access(inside.c_str(), R_OK) == 0 ? inside : named;
    }
    if (::access(file.c_str(), R_OK) == 0)
        return file;
    const std::string data_home = variable("XDG_DATA_HOME");
    const std::string home = variable("HOME");
    if (data_home.empty() && home.empty())
        return {};
    return (data_home.empty() ? home + "/.local/share" : data_home) + "/vulkan/settings.d/" + file;
}

void read_file(Settings& settings) {
    const std::string path = find_settings_file();
    std::ifstream file(path);
    if (!file)
        return;
    std::stringstream text;
    text << file.rdbuf();
    read_file_text(settings, text.str(), path);
}

/// Reads the variables FENCEBRIDGE_SYNC and so on. Before them, those with the names of the Vulkan
/// SDK: VK_, vendor and name of the layer, setting (Vulkan-Utility-Libraries, GetEnvSettingName()).
void read_environment(Settings& settings) {
    for (const std::string_view prefix : {"VK_FENCEBRIDGE_WSI_", "FENCEBRIDGE_"}) {
        for (const settings::Row& row : settings::rows()) {
            std::string variable(prefix);
            for (const char c : row.key)
                variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            if (const char* const value = ::secure_getenv(variable.c_str()))
                settings.set_or_ignore(row.key, value, "environment variable " + variable);
        }
    }
}

/// Whether a variable of the environment has a list whose parts include the layer's name, or a
/// pattern that matches it.
bool lists_layer(const char* variable, char separator) {
    const char* const value = ::secure_getenv(variable);
    std::string_view list = value == nullptr ? "" : value;
    while (!list.empty()) {
        const auto end = std::min(list.find(separator), list.size());
        const std::string part(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (::fnmatch(part.c_str(), layer_name.data(), FNM_CASEFOLD) == 0)
            return true;
    }
    return false;
}

/// See Settings::named. The variables are the loader's, which also ignores case and knows patterns
/// (VK_LOADER_LAYERS_ENABLE), and the one of the opt-in manifest.
bool is_named(const VkInstanceCreateInfo& create_info) {
    const std::span enabled(create_info.ppEnabledLayerNames, create_info.enabledLayerCount);
    if (std::ranges::any_of(enabled, [](std::string_view name) { return name == layer_name; }))
        return true;
    const char* const switched_on = ::secure_getenv("ENABLE_FENCEBRIDGE");
    return (switched_on != nullptr && std::string_view(switched_on) == "1") ||
           lists_layer("VK_INSTANCE_LAYERS", ':') || lists_layer("VK_LOADER_LAYERS_ENABLE", ',');
}

#ifdef FENCEBRIDGE_HAVE_LAYER_SETTINGS
constexpr std::string_view application = "VK_EXT_layer_settings";

std::string as_text(const char* value) { return value; }
std::string as_text(double value) {
    std::array<char, 400> digits; // up to 309 before the point
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                   std::chars_format::fixed);
    return {digits.data(), end.ptr};
}
template <std::integral Value>
std::string as_text(Value value) {
    return std::to_string(value);
}

/// The values of a setting of the application's, with commas between them.
template <class Value>
std::string join(const VkLayerSettingEXT& setting) {
    std::string list;
    for (const Value& value :
         std::span(static_cast<const Value*>(setting.pValues), setting.valueCount))
        list.append(list.empty() ? "" : ",").append(as_text(value));
    return list;
}

/// How the values of a VkLayerSettingTypeEXT become text.
struct ValueType {
    std::string_view name;
    std::string (*join)(const VkLayerSettingEXT& setting);
};
/// By VkLayerSettingTypeEXT.
constexpr auto value_types = std::to_array<ValueType>({
    {"VK_LAYER_SETTING_TYPE_BOOL32_EXT", join<VkBool32>},
    {"VK_LAYER_SETTING_TYPE_INT32_EXT", join<int32_t>},
    {"VK_LAYER_SETTING_TYPE_INT64_EXT", join<int64_t>},
    {"VK_LAYER_SETTING_TYPE_UINT32_EXT", join<uint32_t>},
    {"VK_LAYER_SETTING_TYPE_UINT64_EXT", join<uint64_t>},
    {"VK_LAYER_SETTING_TYPE_FLOAT32_EXT", join<float>},
    {"VK_LAYER_SETTING_TYPE_FLOAT64_EXT", join<double>},
    {"VK_LAYER_SETTING_TYPE_STRING_EXT", join<const char*>},
});

void read_setting(Settings& settings, const VkLayerSettingEXT& setting) {
    const settings::Row* const row = settings::find_row(setting.pSettingName);
    const bool is_number = row != nullptr && (row->type == settings::Type::number ||
                                              row->type == settings::Type::whole_number);
    const auto type = static_cast<size_t>(setting.type);
    if (setting.type == VK_LAYER_SETTING_TYPE_STRING_EXT ||
        (is_number && type < value_types.size())) {
        settings.set_or_ignore(setting.pSettingName, value_types[type].join(setting), application);
        return;
    }
    std::string line("ignoring ");
    line.append(setting.pSettingName).append(" (").append(application).append("): ");
    if (row == nullptr)
        line.append("there is no such setting");
    else
        line.append("it has the type ")
            .append(type < value_types.size() ? value_types[type].name : std::to_string(type))
            .append("; allowed: ")
            .append(value_types[VK_LAYER_SETTING_TYPE_STRING_EXT].name)
            .append(is_number ? " and those of numbers" : "");
    settings.ignored.push_back(std::move(line));
}

/// Reads the settings that the application gives to vkCreateInstance. The chain may have several
/// structures. If it names a setting twice, the first value counts (VkLayerSettingEXT).
void read_create_info(Settings& settings, const VkInstanceCreateInfo& create_info) {
    std::set<std::string_view> read;
    const auto* given = vk::find<VkLayerSettingsCreateInfoEXT>(create_info.pNext);
    for (; given != nullptr; given = vk::find<VkLayerSettingsCreateInfoEXT>(given->pNext)) {
        for (const VkLayerSettingEXT& setting : std::span(given->pSettings, given->settingCount)) {
            if (setting.pLayerName == layer_name && read.insert(setting.pSettingName).second)
                read_setting(settings, setting);
        }
    }
}
#else
void read_create_info(Settings&, const VkInstanceCreateInfo&) {}
#endif

} // namespace

void read_file_text(Settings& settings, std::string_view text, std::string_view source) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));

        line = settings::trim(line.substr(0, line.find('#')));
        const auto equals = line.find('=');
        if (!line.starts_with(file_prefix) || equals == std::string_view::npos)
            continue;
        const auto key = line.substr(file_prefix.size(), equals - file_prefix.size());
        settings.set_or_ignore(settings::trim(key), settings::trim(line.substr(equals + 1)),
                               source);
    }
}

Settings read_settings(const VkInstanceCreateInfo& create_info) {
    Settings settings;
    read_create_info(settings, create_info);
    // A setuid process must not read a file that the environment or the working directory selects.
    // secure_getenv() does the same for variables.
    if (::getauxval(AT_SECURE) == 0)
        read_file(settings);
    read_environment(settings);
    settings.named = is_named(create_info);
    return settings;
}

} // namespace fencebridge
