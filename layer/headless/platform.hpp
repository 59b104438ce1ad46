// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vulkan/vulkan.h>

#include "core/takeover_choice.hpp"
#include "headless/options.hpp"
#include "headless/window.hpp"

namespace fencebridge::headless {

/// VK_EXT_headless_surface, registered in layer/entry/platforms.hpp.
struct Platform {
    static constexpr const char* extension = VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME;
    static constexpr uint32_t provided_version = VK_EXT_HEADLESS_SURFACE_SPEC_VERSION;
    /// A driver with this extension has swapchains of its own, which block nothing.
    static constexpr core::Yield yield = core::Yield::if_it_presents; ///< takeover=auto
    /// HeadlessWindow::reads_images(). Captures are for debugging.
    static constexpr bool reads_images = false;
    static constexpr const char* create_command = "vkCreateHeadlessSurfaceEXT";
    using CreateInfo = VkHeadlessSurfaceCreateInfoEXT;
    using CreateFunction = PFN_vkCreateHeadlessSurfaceEXT;

    /// A surface to ask the driver about.
    static CreateInfo any_surface() {
        return {.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT,
                .pNext = nullptr,
                .flags = 0};
    }

    static std::expected<std::shared_ptr<Window>, std::string> open(const CreateInfo&,
                                                                    const Options& options) {
        return std::make_shared<HeadlessWindow>(options);
    }
};

} // namespace fencebridge::headless
