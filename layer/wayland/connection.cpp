// SPDX-License-Identifier: MIT
#include "wayland/connection.hpp"

#include <algorithm>
#include <new>
#include <unordered_map>

#include "util/locked.hpp"
#include "util/log.hpp"
#include "wayland/announced_global.hpp"

namespace fencebridge::wayland {

namespace {

// Never destroyed: an application may use Vulkan from a static destructor of its own.
auto& connections() {
    static auto* const the = new Locked<std::unordered_map<wl_display*, std::weak_ptr<Connection>>>;
    return *the;
}

} // namespace

struct Connection::Handlers {
    static void global(void* data, wl_registry* registry, uint32_t name, const char* interface,
                       uint32_t version) {
        Connection& connection = *static_cast<Connection*>(data);
        AnnouncedGlobal announced(registry, name, interface, version);
        if (announced.is(zwp_linux_dmabuf_v1_interface))
            connection.bind_dmabuf(announced);
        connection.shm_.bind(announced);
        connection.explicit_sync_.bind(announced);
        connection.tearing_.bind(announced);
        connection.colours_.bind(announced);
        connection.alpha_.bind(announced);
        connection.presentation_.bind(announced);
        connection.commit_timing_.bind(announced);
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
        if (announced.is(wp_fifo_manager_v1_interface))
            connection.fifo_.reset(
                announced.bind<wp_fifo_manager_v1>(wp_fifo_manager_v1_interface, 1));
#endif
#ifdef FENCEBRIDGE_HAVE_WL_FIXES
        if (announced.is(wl_fixes_interface))
            connection.fixes_.reset(announced.bind<wl_fixes>(wl_fixes_interface, 1));
#endif
        connection.bind_failed_ = connection.bind_failed_ || announced.failed();
    }
    // During the round trips of bind_globals() only. What was bound by then stays usable.
    static void global_remove(void*, wl_registry*, uint32_t) {}

    static void format(void*, zwp_linux_dmabuf_v1*, uint32_t) {}
    static void modifier(void* data, zwp_linux_dmabuf_v1*, uint32_t fourcc, uint32_t high,
                         uint32_t low) {
        // An exception must not pass through libwayland, which is C.
        try {
            static_cast<Connection*>(data)->version_3_pending_.formats.push_back(
                {fourcc, (uint64_t{high} << 32) | low});
        } catch (const std::bad_alloc&) {
            log::error("out of memory in zwp_linux_dmabuf_v1.modifier: a format is not used");
        }
    }
};

std::expected<std::shared_ptr<Connection>, VkResult> Connection::get(wl_display* display) {
    const auto find = [&](auto& all) {
        const auto found = all.find(display);
        return found == all.end() ? nullptr : found->second.lock();
    };
    if (auto live = connections().with(find))
        return live;
    const std::shared_ptr<Connection> made(new Connection(display));
    if (const VkResult result = made->bind_globals(); result != VK_SUCCESS)
        return std::unexpected(result);
    // Another thread may have made one since. The Connection that is not kept is destroyed after
    // the lock is released.
    return connections().with([&](auto& all) {
        auto live = find(all);
        if (live)
            return live;
        all.insert_or_assign(display, made);
        return made;
    });
}

Connection::~Connection() {
    connections().with([&](auto& all) {
        const auto found = all.find(display_.handle);
        if (found != all.end() && found->second.expired())
            all.erase(found);
    });
}

VkResult Connection::bind_globals() {
    static constexpr wl_registry_listener listener = {
        .global = &Handlers::global,
        .global_remove = &Handlers::global_remove,
    };
    const auto on_queue = queue_ ? wrap(display_.handle, queue_.get()) : nullptr;
    const Proxy<wl_registry> registry(on_queue ? wl_display_get_registry(on_queue.get()) : nullptr);
    if (!registry)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    wl_registry_add_listener(registry.get(), &listener, this);
    const VkResult result = receive_globals();
    destroy(registry.get());
    return result == VK_SUCCESS && bind_failed_ ? VK_ERROR_OUT_OF_HOST_MEMORY : result;
}

/// Destroys the compositor's object, if there is a request for that.
void Connection::destroy(wl_registry* registry) {
#ifdef FENCEBRIDGE_HAVE_WL_FIXES
    if (fixes_)
        wl_fixes_destroy_registry(fixes_.get(), registry);
#else
    static_cast<void>(registry);
#endif
    fixes_.reset();
}

VkResult Connection::receive_globals() {
    VkResult result = queue_.round_trip();
    if (result != VK_SUCCESS || has_surface_feedback())
        return result;
    // No event marks the end of the lists of formats. After a round trip they are complete. (If
    // there is feedback, a window makes this round trip.)
    result = queue_.round_trip();
    if (!version_3_pending_.formats.empty())
        version_3_list_ = std::make_shared<const DmabufFormats>(
            DmabufFormats{.tranches = {std::move(version_3_pending_)}});
    return result;
}

VkResult Connection::describe_globals() {
    // Another thread may be in the handlers, which write what the caller is about to read.
    if (const auto handled = queue_.dispatch_all_pending(); !handled)
        return handled.error();
    const auto are_described = [&] { return colours_.is_described() && alpha_.is_described(); };
    return are_described() ? VK_SUCCESS : queue_.wait_until(are_described);
}

bool Connection::has_surface_feedback() const {
    return dmabuf_ && zwp_linux_dmabuf_v1_get_version(dmabuf_.get()) >=
                          ZWP_LINUX_DMABUF_V1_GET_SURFACE_FEEDBACK_SINCE_VERSION;
}

void Connection::bind_dmabuf(AnnouncedGlobal& global) {
    if (global.version() < ZWP_LINUX_DMABUF_V1_MODIFIER_SINCE_VERSION || dmabuf_)
        return;
    const auto known = static_cast<uint32_t>(zwp_linux_dmabuf_v1_interface.version);
    dmabuf_.reset(global.bind<zwp_linux_dmabuf_v1>(
        zwp_linux_dmabuf_v1_interface, std::min({global.version(), known, uint32_t{5}})));
    if (!dmabuf_)
        return;
    // The listener is added at once: libwayland drops the events of an object that has no listener.
    // From version 4 on the compositor sends neither `format` nor `modifier`.
    static constexpr zwp_linux_dmabuf_v1_listener listener = {
        .format = &Handlers::format,
        .modifier = &Handlers::modifier,
    };
    zwp_linux_dmabuf_v1_add_listener(dmabuf_.get(), &listener, this);
}

} // namespace fencebridge::wayland
