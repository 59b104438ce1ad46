// SPDX-License-Identifier: MIT
#include "settings/settings.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "settings/table.hpp"

namespace fencebridge {

namespace {

template <class T>
struct Choice {
    std::string_view name;
    T value;
};

template <class T, size_t N>
bool pick(const std::array<Choice<T>, N>& choices, std::string_view name, T& out) {
    const auto* found = std::ranges::find(choices, name, &Choice<T>::name);
    if (found == choices.end())
        return false;
    out = found->value;
    return true;
}

bool set_sync(Settings& settings, std::string_view value) {
    constexpr std::array<Choice<std::optional<core::Transport>>, 5> transports = {{
        {"auto", std::nullopt},
        {"explicit", core::Transport::explicit_sync},
        {"kernel", core::Transport::kernel},
        {"module", core::Transport::module},
        {"cpu", core::Transport::cpu},
    }};
    return pick(transports, value, settings.sync);
}

bool set_takeover(Settings& settings, std::string_view value) {
    constexpr std::array<Choice<TakeoverSetting>, 3> takeovers = {{
        {"auto", TakeoverSetting::automatic},
        {"on", TakeoverSetting::on},
        {"off", TakeoverSetting::off},
    }};
    return pick(takeovers, value, settings.takeover);
}

bool set_image(Settings& settings, std::string_view value) {
    const auto* found = std::ranges::find(core::image_sources, value, &core::ImageSourceName::name);
    if (found == core::image_sources.end() && value != "auto")
        return false;
    settings.image = value == "auto" ? std::nullopt : std::optional(found->source);
    return true;
}

bool set_avoid(Settings& settings, std::string_view value) {
    wayland::ProtocolSet named;
    for (const std::string_view name : settings::split(value)) {
        const auto* row =
            std::ranges::find(wayland::protocol_rows, name, &wayland::ProtocolRow::name);
        if (row == wayland::protocol_rows.end())
            return false;
        named.add(row->protocol);
    }
    settings.avoid = named;
    return true;
}

bool set_headless_refresh(Settings& settings, std::string_view value) {
    const double rate = settings::read_number(value).value(); // in Hz
    settings.headless.period = std::chrono::nanoseconds(std::llround(1e9 / rate));
    return true;
}

bool set_headless_capture(Settings& settings, std::string_view value) {
    settings.headless.capture_folder = value;
    return true;
}

bool set_headless_capture_every(Settings& settings, std::string_view value) {
    settings.headless.capture_every = static_cast<uint32_t>(settings::read_number(value).value());
    return true;
}

bool set_log_level(Settings& settings, std::string_view value) {
    constexpr std::array<Choice<log::Level>, 4> levels = {{
        {"error", log::Level::error},
        {"warning", log::Level::warning},
        {"info", log::Level::info},
        {"debug", log::Level::debug},
    }};
    return pick(levels, value, settings.log_level);
}

bool set_log_file(Settings& settings, std::string_view value) {
    settings.log_file = value;
    return true;
}

bool set_trace_file(Settings& settings, std::string_view value) {
    settings.trace_file = value;
    return true;
}

/// The member of Settings that a row of the table sets.
struct Setter {
    std::string_view key;
    /// @param value  one that the row allows
    bool (*set)(Settings& settings, std::string_view value);
};
constexpr auto setters = std::to_array<Setter>({
    {"sync", set_sync},
    {"takeover", set_takeover},
    {"image", set_image},
    {"avoid", set_avoid},
    {"headless_refresh", set_headless_refresh},
    {"headless_capture", set_headless_capture},
    {"headless_capture_every", set_headless_capture_every},
    {"log_level", set_log_level},
    {"log_file", set_log_file},
    {"trace_file", set_trace_file},
});

} // namespace

bool Settings::set(std::string_view key, std::string_view value) {
    const settings::Row* const row = settings::find_row(key);
    const auto* const setter = std::ranges::find(setters, key, &Setter::key);
    return row != nullptr && setter != setters.end() && settings::allows(*row, value) &&
           setter->set(*this, value);
}

void Settings::set_or_ignore(std::string_view key, std::string_view value,
                             std::string_view source) {
    if (set(key, value))
        return;
    const settings::Row* const row = settings::find_row(key);
    std::string line("ignoring ");
    line.append(key).append("=").append(value).append(" (").append(source).append("): ");
    ignored.push_back(line + (row == nullptr ? "there is no such setting"
                                             : "allowed: " + settings::describe_allowed(*row)));
}

} // namespace fencebridge
