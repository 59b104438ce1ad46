// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/transport_choice.hpp"
#include "util/log.hpp"

struct VkInstanceCreateInfo;

namespace fencebridge {

/// Whether the layer owns swapchains. `automatic` is `on` wherever it can serve the device and the
/// surface; `on` differs by saying loudly where it cannot.
enum class Takeover { automatic, on, off };

/// What the user asked for. Names, in the order in which a later source overrides an earlier one:
///   VK_EXT_layer_settings      layer name VK_LAYER_FENCEBRIDGE_wsi, setting `sync`
///   vk_layer_settings.txt      `fencebridge_wsi.sync = kernel`
///   environment                `FENCEBRIDGE_SYNC=kernel`
/// The last two are ignored in a setuid process.
struct Settings {
    std::optional<core::Transport> sync; ///< nothing: the layer chooses
    Takeover takeover = Takeover::automatic;
    log::Level log_level = log::Level::warning;

    /// Takes one setting by its name (`sync`, `takeover`, `log_level`). False for a name or value
    /// that does not exist; nothing is changed then.
    bool set(std::string_view name, std::string_view value);

    /// Takes the lines of a vk_layer_settings.txt that are meant for this layer. The format is the
    /// Vulkan SDK's: `key = value` lines, `#` starts a comment.
    void read_file_text(std::string_view text);
};

/// Gathers the settings for an instance that is being created.
[[nodiscard]] Settings read_settings(const VkInstanceCreateInfo& create_info);

} // namespace fencebridge
