// SPDX-License-Identifier: MIT
#include "info/wayland_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace fencebridge::info {

namespace {

/// From this version on, damage is in pixels of the buffer (wl_surface.damage_buffer).
constexpr uint32_t wanted_compositor_version = 4;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

} // namespace

std::string wayland_socket() {
    const std::string named = variable("WAYLAND_DISPLAY");
    if (named.starts_with('/'))
        return named;
    const std::string folder = variable("XDG_RUNTIME_DIR");
    if (folder.empty())
        return "";
    return folder + "/" + (named.empty() ? "wayland-0" : named);
}

WaylandConnection::WaylandConnection() : display_(wl_display_connect(nullptr)) {}

bool WaylandConnection::receive_globals() {
    static constexpr wl_registry_listener listener = {
        .global = &announce,
        .global_remove = [](void*, wl_registry*, uint32_t) {},
    };
    registry_.reset(wl_display_get_registry(display_.get()));
    if (!registry_)
        return false;
    wl_registry_add_listener(registry_.get(), &listener, this);
    if (wl_display_roundtrip(display_.get()) < 0)
        return false;
    if (compositor_)
        surface_.reset(wl_compositor_create_surface(compositor_.get()));
    return true;
}

void WaylandConnection::announce(void* data, wl_registry* registry, uint32_t name,
                                 const char* interface, uint32_t version) {
    auto& self = *static_cast<WaylandConnection*>(data);
    self.globals_.push_back({interface, version});
    if (std::strcmp(interface, wl_compositor_interface.name) == 0)
        self.compositor_.reset(static_cast<wl_compositor*>(
            wl_registry_bind(registry, name, &wl_compositor_interface,
                             std::min(version, wanted_compositor_version))));
}

} // namespace fencebridge::info
