// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vulkan/vulkan.h>

#include "headless/options.hpp"
#include "headless/window.hpp"

namespace fencebridge::headless {

/// VK_EXT_headless_surface, registered in layer/entry/platforms.hpp.
struct Platform {
    static constexpr const char* extension = VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME;
    static constexpr uint32_t provided_version = 0; ///< the driver's extension, intercepted
    /// Only with the setting takeover=on: a driver with this extension has swapchains of its own.
    static constexpr bool taken_over_by_default = false;
    static constexpr const char* create_command = "vkCreateHeadlessSurfaceEXT";
    using CreateInfo = VkHeadlessSurfaceCreateInfoEXT;
    using CreateFunction = PFN_vkCreateHeadlessSurfaceEXT;

    static std::expected<std::shared_ptr<Window>, std::string> open(const CreateInfo&,
                                                                    const Options& options) {
        return std::make_shared<HeadlessWindow>(options);
    }
};

} // namespace fencebridge::headless
