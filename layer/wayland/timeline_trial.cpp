// SPDX-License-Identifier: MIT
#include "wayland/timeline_trial.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

#include "linux-drm-syncobj-v1-client-protocol.h"
#include "wayland/explicit_sync.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

namespace {

struct Disconnecter {
    void operator()(wl_display* display) const { wl_display_disconnect(display); }
};
using Connection = std::unique_ptr<wl_display, Disconnecter>;
using Manager = std::unique_ptr<wp_linux_drm_syncobj_manager_v1, SyncobjDestroyer>;

sync::Obstacle failed(const char* call) { return sync::obstacle(call, kernel::Errno{errno}); }

/// Connects once more to where the other end of a connected socket listens.
std::expected<Connection, sync::Obstacle> connect_again(wl_display* display) {
    sockaddr_un address = {};
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::getpeername(wl_display_get_fd(display), generic, &length) != 0)
        return std::unexpected(failed("getpeername"));
    if (address.sun_family != AF_UNIX || length <= sizeof address.sun_family)
        return std::unexpected(
            "the compositor's socket has no name by which to try a timeline out");
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return std::unexpected(failed("socket"));
    if (::connect(socket.get(), generic, length) != 0)
        return std::unexpected(failed("a second connection to the compositor"));
    // Takes the descriptor over, and closes it when it fails.
    Connection connection(wl_display_connect_to_fd(socket.release()));
    if (!connection)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    return connection;
}

struct Handlers {
    static void global(void* data, wl_registry* registry, uint32_t name, const char* interface,
                       uint32_t) {
        auto& manager = *static_cast<Manager*>(data);
        if (std::strcmp(interface, wp_linux_drm_syncobj_manager_v1_interface.name) == 0)
            manager.reset(static_cast<wp_linux_drm_syncobj_manager_v1*>(
                wl_registry_bind(registry, name, &wp_linux_drm_syncobj_manager_v1_interface, 1)));
    }
    static void global_remove(void*, wl_registry*, uint32_t) {}
};

} // namespace

std::expected<void, sync::Obstacle> try_timeline(wl_display* display, const Fd& syncobj) {
    static constexpr wl_registry_listener listener = {
        .global = &Handlers::global,
        .global_remove = &Handlers::global_remove,
    };
    const auto connection = connect_again(display);
    if (!connection)
        return std::unexpected(connection.error());
    wl_display* const own = connection->get();
    Manager manager;
    const Proxy<wl_registry> registry(wl_display_get_registry(own));
    if (!registry)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    wl_registry_add_listener(registry.get(), &listener, &manager);
    if (wl_display_roundtrip(own) < 0)
        return std::unexpected("a second connection to the compositor was closed");
    if (!manager)
        return std::unexpected(
            "the compositor has no linux-drm-syncobj-v1 for a second connection");
    const Timelines::Timeline timeline(
        wp_linux_drm_syncobj_manager_v1_import_timeline(manager.get(), syncobj.get()));
    if (!timeline)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    if (wl_display_roundtrip(own) < 0)
        return std::unexpected("the compositor refused a timeline");
    return {};
}

} // namespace fencebridge::wayland
