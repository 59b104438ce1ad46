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

struct VkInstanceCreateInfo;

namespace fencebridge {

/// What the layer takes over. `off`: nothing. `on`: devices and surfaces, where that is possible.
/// `automatic`: the same, but some surfaces are left to the driver (core::Yield). If a device
/// cannot be taken over, `automatic` logs a warning, and `on` logs an error. For instances and
/// surfaces both log a warning.
enum class TakeoverSetting { automatic, on, off };

/// The user's settings. A later source of this list overrides an earlier one:
///   VK_EXT_layer_settings      layer name VK_LAYER_FENCEBRIDGE_wsi, setting `sync`
///   vk_layer_settings.txt      `fencebridge_wsi.sync = kernel`
///   environment                `FENCEBRIDGE_SYNC=kernel`
/// The last two are ignored in a setuid process.
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
    /// What was read and has an unknown name or value: lines for the log, which knows its level
    /// only when all sources have been read.
    std::vector<std::string> ignored;

    /// Sets one setting by its name (`sync`, `takeover`, `avoid`, ...).
    /// @return false, and nothing changes, if there is no such name or value
    bool set(std::string_view name, std::string_view value);

    /// Applies the lines of a vk_layer_settings.txt that are for this layer. The format is the
    /// Vulkan SDK's: `key = value` lines; `#` starts a comment.
    void read_file_text(std::string_view text);
};

/// Reads the settings for an instance that is being created, from all sources.
[[nodiscard]] Settings read_settings(const VkInstanceCreateInfo& create_info);

} // namespace fencebridge
