// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vulkan/vulkan.h>

#include "core/takeover_choice.hpp"
#include "wayland/shared_surface.hpp"
#include "wayland/window.hpp"

namespace fencebridge::wayland {

/// VK_KHR_wayland_surface, registered in layer/entry/platforms.hpp.
struct Platform {
    static constexpr const char* extension = VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME;
    static constexpr uint32_t provided_version = VK_KHR_WAYLAND_SURFACE_SPEC_VERSION;
    static constexpr core::Yield yield = core::Yield::if_it_carries_fences; ///< takeover=auto
    static constexpr bool reads_images = true; ///< WaylandWindow::reads_images()
    static constexpr const char* create_command = "vkCreateWaylandSurfaceKHR";
    static constexpr const char* support_command =
        "vkGetPhysicalDeviceWaylandPresentationSupportKHR";
    using CreateInfo = VkWaylandSurfaceCreateInfoKHR;
    using CreateFunction = PFN_vkCreateWaylandSurfaceKHR;
    using SupportFunction = PFN_vkGetPhysicalDeviceWaylandPresentationSupportKHR;

    /// @param avoid  the setting
    static std::expected<std::shared_ptr<Window>, std::string> open(const CreateInfo& info,
                                                                    ProtocolSet avoid) {
        return WaylandWindow::create(info.display, info.surface, avoid);
    }

    /// Of every surface, also those that the layer does not open.
    static NativeWindow native(const CreateInfo& info) { return {.object = info.surface}; }
    /// A driver is about to make a swapchain on the window, which must not have objects of the
    /// layer's that the driver may make, too.
    static void leave_to_driver(const NativeWindow& window) {
        SharedSurface::leave_to_driver(window.object);
    }
};

} // namespace fencebridge::wayland
