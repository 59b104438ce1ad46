// SPDX-License-Identifier: MIT
#include "entry/settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fnmatch.h>
#include <fstream>
#include <span>
#include <sstream>
#include <sys/auxv.h>
#include <unistd.h>
#include <vulkan/vulkan.h>

#include "vk/chain.hpp"

namespace fencebridge {

namespace {

constexpr std::string_view layer_name = "VK_LAYER_FENCEBRIDGE_wsi";
constexpr std::string_view file_prefix = "fencebridge_wsi.";
constexpr std::array<std::string_view, 8> names = {
    "sync",
    "image",
    "takeover",
    "avoid",
    "headless_refresh",
    "headless_capture",
    "headless_capture_every",
    "log_level",
};

template <class T>
struct Choice {
    std::string_view name;
    T value;
};

constexpr std::array<Choice<std::optional<core::Transport>>, 5> syncs = {{
    {"auto", std::nullopt},
    {"explicit", core::Transport::explicit_sync},
    {"kernel", core::Transport::kernel},
    {"module", core::Transport::module},
    {"cpu", core::Transport::cpu},
}};
constexpr std::array<Choice<TakeoverSetting>, 3> takeovers = {{
    {"auto", TakeoverSetting::automatic},
    {"on", TakeoverSetting::on},
    {"off", TakeoverSetting::off},
}};
constexpr std::array<Choice<log::Level>, 4> levels = {{
    {"error", log::Level::error},
    {"warning", log::Level::warning},
    {"info", log::Level::info},
    {"debug", log::Level::debug},
}};

template <class T, size_t N>
bool pick(const std::array<Choice<T>, N>& choices, std::string_view name, T& out) {
    const auto* found = std::ranges::find(choices, name, &Choice<T>::name);
    if (found == choices.end())
        return false;
    out = found->value;
    return true;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool pick_image_source(std::string_view name, std::optional<core::ImageSource>& out) {
    const auto* found = std::ranges::find(core::image_sources, name, &core::ImageSourceName::name);
    if (found == core::image_sources.end() && name != "auto")
        return false;
    out = name == "auto" ? std::nullopt : std::optional(found->source);
    return true;
}

/// Reads a list of names with commas between them, which may be empty.
bool pick_protocols(std::string_view list, wayland::ProtocolSet& out) {
    wayland::ProtocolSet named;
    while (!trim(list).empty()) {
        const auto end = std::min(list.find(','), list.size());
        const std::string_view name = trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        const auto* row =
            std::ranges::find(wayland::protocol_rows, name, &wayland::ProtocolRow::name);
        if (row == wayland::protocol_rows.end())
            return false;
        named.add(row->protocol);
    }
    out = named;
    return true;
}

/// Reads a whole number, or a number with a decimal point: no sign, no exponent.
template <class Number, class... Format>
bool pick_number(std::string_view text, Number least, Number most, Number& out, Format... format) {
    Number value = {};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, format...);
    // A comparison with NaN is false.
    if (error != std::errc() || end != text.data() + text.size() ||
        !(least <= value && value <= most))
        return false;
    out = value;
    return true;
}

/// Reads a refresh rate in Hz.
bool pick_refresh(std::string_view text, std::chrono::nanoseconds& period) {
    double rate = 0;
    if (!pick_number(text, headless::lowest_rate, headless::highest_rate, rate,
                     std::chars_format::fixed))
        return false;
    period = std::chrono::nanoseconds(std::llround(1e9 / rate));
    return true;
}

void set_or_ignore(Settings& settings, std::string_view name, std::string_view value,
                   std::string_view source) {
    if (settings.set(name, value))
        return;
    std::string line(source);
    line.append(": ignoring ").append(name).append("=").append(value);
    settings.ignored.push_back(line.append(": unknown setting or value"));
}

/// The path of the settings file, by the rules of the Vulkan SDK's tools. Not called in setuid
/// processes, which must not trust the environment.
std::string settings_file() {
    if (const char* path = std::getenv("VK_LAYER_SETTINGS_PATH"); path != nullptr && *path) {
        std::string named = path;
        std::string inside = named + "/vk_layer_settings.txt";
        return ::access(inside.c_str(), R_OK) == 0 ? inside : named;
    }
    std::string here = "vk_layer_settings.txt";
    if (::access(here.c_str(), R_OK) == 0)
        return here;
    const std::string user = "/vulkan/settings.d/vk_layer_settings.txt";
    if (const char* data_home = std::getenv("XDG_DATA_HOME"))
        return data_home + user;
    if (const char* home = std::getenv("HOME"))
        return std::string(home) + "/.local/share" + user;
    return {};
}

void read_file(Settings& settings) {
    std::ifstream file(settings_file());
    if (!file)
        return;
    std::stringstream text;
    text << file.rdbuf();
    settings.read_file_text(text.str());
}

void read_environment(Settings& settings) {
    for (const std::string_view name : names) {
        std::string variable = "FENCEBRIDGE_";
        for (const char c : name)
            variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (const char* value = ::secure_getenv(variable.c_str()))
            set_or_ignore(settings, name, value, "environment");
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
/// The strings of a setting as one list, as a file or a variable has it.
std::string joined(const VkLayerSettingEXT& setting) {
    const auto* const values = static_cast<const char* const*>(setting.pValues);
    std::string list = values[0];
    for (uint32_t i = 1; i < setting.valueCount; ++i)
        list.append(",").append(values[i]);
    return list;
}

void read_create_info(Settings& settings, const VkInstanceCreateInfo& create_info) {
    // The chain may have one structure for each layer that the application configures.
    const auto* given = vk::find<VkLayerSettingsCreateInfoEXT>(create_info.pNext);
    for (; given != nullptr; given = vk::find<VkLayerSettingsCreateInfoEXT>(given->pNext)) {
        for (uint32_t i = 0; i < given->settingCount; ++i) {
            const VkLayerSettingEXT& setting = given->pSettings[i];
            if (std::string_view(setting.pLayerName) == layer_name &&
                setting.type == VK_LAYER_SETTING_TYPE_STRING_EXT && setting.valueCount > 0)
                set_or_ignore(settings, setting.pSettingName, joined(setting),
                              "VK_EXT_layer_settings");
        }
    }
}
#else
void read_create_info(Settings&, const VkInstanceCreateInfo&) {}
#endif

} // namespace

bool Settings::set(std::string_view name, std::string_view value) {
    if (name == "sync")
        return pick(syncs, value, sync);
    if (name == "image")
        return pick_image_source(value, image);
    if (name == "takeover")
        return pick(takeovers, value, takeover);
    if (name == "avoid")
        return pick_protocols(value, avoid);
    if (name == "headless_refresh")
        return pick_refresh(value, headless.period);
    if (name == "headless_capture") {
        headless.capture_folder = value;
        return true;
    }
    if (name == "headless_capture_every")
        return pick_number(value, uint32_t{1}, headless::rarest_capture, headless.capture_every);
    if (name == "log_level")
        return pick(levels, value, log_level);
    return false;
}

void Settings::read_file_text(std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));

        line = trim(line.substr(0, line.find('#')));
        const auto equals = line.find('=');
        if (!line.starts_with(file_prefix) || equals == std::string_view::npos)
            continue;
        line.remove_prefix(file_prefix.size());
        set_or_ignore(*this, trim(line.substr(0, equals - file_prefix.size())),
                      trim(line.substr(equals - file_prefix.size() + 1)), "vk_layer_settings.txt");
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
