// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "settings/settings.hpp"

struct VkInstanceCreateInfo;

namespace fencebridge {

/// Reads the settings for an instance that is being created. A later source overrides an earlier
/// one:
///   VK_EXT_layer_settings      layer name VK_LAYER_FENCEBRIDGE_wsi, setting `sync`
///   vk_layer_settings.txt      `fencebridge_wsi.sync = kernel`
///   environment                `FENCEBRIDGE_SYNC=kernel`, or VK_FENCEBRIDGE_WSI_SYNC
/// The last two are ignored in a setuid process.
[[nodiscard]] Settings read_settings(const VkInstanceCreateInfo& create_info);

/// Applies the lines of a vk_layer_settings.txt that are for this layer. The format is the Vulkan
/// SDK's: `key = value` lines; `#` starts a comment.
/// @param source  the name of the file, for the log
void read_file_text(Settings& settings, std::string_view text, std::string_view source);

} // namespace fencebridge
