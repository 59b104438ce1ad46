// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/image_source.hpp"
#include "core/transport_choice.hpp"
#include "headless/options.hpp"
#include "util/log.hpp"
#include "wayland/protocol_set.hpp"

namespace fencebridge {

/// What the layer takes over. `off`: nothing. `on`: devices and surfaces, where that is possible.
/// `automatic`: the same, but some surfaces are left to the driver (core::Yield). If a device
/// cannot be taken over, `automatic` logs a warning, and `on` logs an error. For instances and
/// surfaces both log a warning.
enum class TakeoverSetting { automatic, on, off };

/// The user's settings for an instance. The initial values are those of the table (settings.json).
struct Settings {
    std::optional<core::Transport> sync;    ///< nothing: the layer chooses
    std::optional<core::ImageSource> image; ///< nothing: the layer chooses
    TakeoverSetting takeover = TakeoverSetting::automatic;
    /// Whether the layer was enabled by its name: in VK_INSTANCE_LAYERS, VK_LOADER_LAYERS_ENABLE or
    /// VkInstanceCreateInfo, or by ENABLE_FENCEBRIDGE=1.
    bool named = false;
    wayland::ProtocolSet avoid; ///< the layer makes no objects of these protocols
    headless::Options headless; ///< `headless_refresh`, `headless_capture` and so on
    log::Level log_level = log::Level::warning;
    std::string log_file = {}; ///< empty: standard error
    std::string trace_file; ///< a file's name, as trace::open() takes it; empty: nothing is traced
    /// One line for each setting that was read and has an unknown name, type or value. They are
    /// logged when all sources have been read: only then the log knows its level.
    std::vector<std::string> ignored;

    bool operator==(const Settings&) const = default;

    /// Sets one setting by its key (`sync`, `takeover`, `avoid`, ...).
    /// @return false, and nothing changes, if there is no such setting, or if it cannot have the
    ///         value
    bool set(std::string_view key, std::string_view value);
    /// The same. If the setting cannot be set, adds a line to `ignored`.
    /// @param source  where the setting was found, for that line
    void set_or_ignore(std::string_view key, std::string_view value, std::string_view source);
};

} // namespace fencebridge
