// SPDX-License-Identifier: MIT
// A Wayland window on the fake compositor, for tests that need a surface.
#pragma once

#include <utility>

#include <vulkan/vulkan.h>

#include "fake_compositor/compositor.hpp"

struct wl_compositor;
struct wl_surface;

namespace fencebridge::test {

class Window {
public:
    explicit Window(Compositor& compositor);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    [[nodiscard]] wl_display* display() const { return display_; }
    [[nodiscard]] wl_surface* surface() const { return surface_; }

private:
    wl_display* display_;
    wl_compositor* compositor_{nullptr};
    wl_surface* surface_{nullptr};
};

/// A VkSurfaceKHR of the window.
class WindowSurface {
public:
    WindowSurface(VkInstance instance, const Window& window);
    ~WindowSurface() {
        if (handle_ != VK_NULL_HANDLE)
            vkDestroySurfaceKHR(instance_, handle_, nullptr);
    }
    WindowSurface(const WindowSurface&) = delete;
    WindowSurface& operator=(const WindowSurface&) = delete;

    [[nodiscard]] VkResult result() const { return result_; }
    [[nodiscard]] operator VkSurfaceKHR() const { return handle_; }

private:
    VkInstance instance_;
    VkResult result_;
    VkSurfaceKHR handle_{VK_NULL_HANDLE};
};

} // namespace fencebridge::test
