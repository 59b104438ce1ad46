// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <vulkan/vulkan.h>

#include "core/modifier_choice.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/explicit_sync.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The globals of a compositor on one connection of the application's, shared by all swapchains
/// there.
///
/// It exists only while it is used: by a swapchain, for whose lifetime VK_KHR_wayland_surface
/// guarantees the wl_display, or during a call that the application gives the wl_display to. So a
/// wl_display that is disconnected has none, and another at the same address finds none.
class Connection {
public:
    /// The one of this wl_display: the one in use, or a new one, which takes a round trip (with
    /// version 3 of zwp_linux_dmabuf_v1, two).
    /// @return or VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] static std::expected<std::shared_ptr<Connection>, VkResult>
    get(wl_display* display);

    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] Display& display() { return display_; }
    /// Of version 3 or later; null where the compositor has none.
    [[nodiscard]] zwp_linux_dmabuf_v1* dmabuf() const { return dmabuf_.get(); }
    /// With version 4 of zwp_linux_dmabuf_v1 each surface has a feedback of its own; with version 3
    /// there is one list for all, which is null if it is empty.
    [[nodiscard]] bool has_surface_feedback() const;
    [[nodiscard]] std::shared_ptr<const core::DmabufFeedback> version_3_list() const {
        return version_3_list_;
    }
    /// Null where build or compositor has no wp_fifo_v1.
    [[nodiscard]] wp_fifo_manager_v1* fifo() const { return fifo_.get(); }
    [[nodiscard]] const ExplicitSyncManager& explicit_sync() const { return explicit_sync_; }

private:
    struct Handlers;

    explicit Connection(wl_display* display) : display_{display}, queue_(display_) {}

    VkResult bind_globals();
    void bind_dmabuf(wl_registry* registry, uint32_t name, uint32_t version);

    Display display_;
    EventQueue queue_;
    Proxy<zwp_linux_dmabuf_v1> dmabuf_;
    core::Tranche version_3_; ///< what has been listed so far
    std::shared_ptr<const core::DmabufFeedback> version_3_list_;
    Proxy<wp_fifo_manager_v1> fifo_;
    ExplicitSyncManager explicit_sync_;
};

} // namespace fencebridge::wayland
