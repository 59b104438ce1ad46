// SPDX-License-Identifier: MIT
// The command line of fencebridge-still.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <vulkan/vulkan_core.h>

namespace fencebridge::still {

struct Options {
    uint32_t width = 500;
    uint32_t height = 500;
    bool headless = false;
    bool fullscreen = false;
    uint32_t windows = 1;
    uint64_t frames = 0; // 0: until the window is closed
    uint64_t still_after = 0;
    uint64_t resize_every = 0; // 0: never
    VkPresentModeKHR present_mode = VK_PRESENT_MODE_FIFO_KHR;
    VkCompositeAlphaFlagBitsKHR alpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    std::optional<VkFormat> format;   // none: the first one that program and surface both have
    std::optional<uint32_t> backdrop; // 0xRRGGBB
    bool hold = false;
    std::string ready_file; // empty: none
    bool help = false;
};

// Throws UsageError for anything that is not understood.
Options parse_options(int argc, char** argv);

const char* usage_text();

const char* name_of(VkPresentModeKHR mode);

} // namespace fencebridge::still
