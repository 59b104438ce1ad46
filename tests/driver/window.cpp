// SPDX-License-Identifier: MIT
#include "window.hpp"

#include <string_view>

#include <wayland-client.h>

namespace fencebridge::test {
namespace {

void bind_compositor(void* data, wl_registry* registry, uint32_t name, const char* interface,
                     uint32_t) {
    if (std::string_view{interface} == wl_compositor_interface.name)
        *static_cast<wl_compositor**>(data) = static_cast<wl_compositor*>(
            wl_registry_bind(registry, name, &wl_compositor_interface, 4));
}

void forget_global(void*, wl_registry*, uint32_t) {}

} // namespace

Window::Window(Compositor& compositor) : display_{compositor.connect()} {
    static constexpr wl_registry_listener listener{.global = bind_compositor,
                                                   .global_remove = forget_global};
    wl_registry* const registry = wl_display_get_registry(display_);
    wl_registry_add_listener(registry, &listener, &compositor_);
    wl_display_roundtrip(display_);
    wl_registry_destroy(registry);
    surface_ = wl_compositor_create_surface(compositor_);
}

Window::~Window() {
    wl_surface_destroy(surface_);
    wl_compositor_destroy(compositor_);
    wl_display_disconnect(display_);
}

WindowSurface::WindowSurface(VkInstance instance, const Window& window) : instance_{instance} {
    const VkWaylandSurfaceCreateInfoKHR info{.sType =
                                                 VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR,
                                             .pNext = nullptr,
                                             .flags = 0,
                                             .display = window.display(),
                                             .surface = window.surface()};
    result_ = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &handle_);
    if (result_ != VK_SUCCESS)
        handle_ = VK_NULL_HANDLE;
}

} // namespace fencebridge::test
