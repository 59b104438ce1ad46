// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <vulkan/vulkan.h>

#include "core/commit_plan.hpp"
#include "wayland/alpha.hpp"
#include "wayland/colour.hpp"
#include "wayland/commit_timing.hpp"
#include "wayland/dmabuf_formats.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/explicit_sync.hpp"
#include "wayland/presentation_feedback.hpp"
#include "wayland/proxy.hpp"
#include "wayland/shm.hpp"
#include "wayland/tearing.hpp"

namespace fencebridge::wayland {

/// The compositor's globals on one of the application's connections, shared by all swapchains on
/// that connection.
///
/// The globals are those that the compositor announces when the Connection is made. One that the
/// compositor removes later stays usable, by the core protocol, and has no effect any more. The
/// next Connection finds out what there is then.
///
/// A Connection exists only while a swapchain uses it, or during a call that creates or queries a
/// surface. VK_KHR_wayland_surface guarantees the wl_display for the lifetime of swapchains. So no
/// Connection is left when the application disconnects the wl_display, and a new wl_display at the
/// same address gets a new Connection.
class Connection {
public:
    /// Returns the Connection of this wl_display, creating it for the first user. Creation makes a
    /// round trip; without zwp_linux_dmabuf_v1 of version 4 or later, two.
    /// @return the error is VK_ERROR_SURFACE_LOST_KHR or VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] static std::expected<std::shared_ptr<Connection>, VkResult>
    get(wl_display* display);

    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] Display& display() { return display_; }
    /// Version 3 or later; null if the compositor has none.
    [[nodiscard]] zwp_linux_dmabuf_v1* dmabuf() const { return dmabuf_.get(); }
    /// Whether there is a zwp_linux_dmabuf_v1 that has feedback for each surface (version 4 or
    /// later).
    [[nodiscard]] bool has_surface_feedback() const;
    /// The formats that version 3 of zwp_linux_dmabuf_v1 lists, the same for all surfaces. Null if
    /// it lists none, or has another version.
    [[nodiscard]] std::shared_ptr<const DmabufFormats> version_3_list() const {
        return version_3_list_;
    }
    [[nodiscard]] const ShmGlobal& shm() const { return shm_; }
    /// Null if the build or the compositor has no wp_fifo_v1.
    [[nodiscard]] wp_fifo_manager_v1* fifo() const { return fifo_.get(); }
    [[nodiscard]] const ExplicitSyncManager& explicit_sync() const { return explicit_sync_; }
    [[nodiscard]] const TearingManager& tearing() const { return tearing_; }
    /// Which of the protocols that present modes need are there.
    [[nodiscard]] core::PresentProtocols present_protocols() const {
        return {.fifo = fifo_ != nullptr, .tearing = static_cast<bool>(tearing_)};
    }
    [[nodiscard]] const ColourManager& colours() const { return colours_; }
    [[nodiscard]] const AlphaManager& alpha() const { return alpha_; }
    [[nodiscard]] const PresentationGlobal& presentation() const { return presentation_; }
    [[nodiscard]] const CommitTimingManager& commit_timing() const { return commit_timing_; }

    /// Waits until colours() and alpha() are described, and the events that describe presentation()
    /// and shm() are handled, by this thread or another. Makes no round trip: after another one on
    /// this wl_display, the events have arrived. From then on, none of these changes.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult describe_globals();

private:
    struct Handlers;

    explicit Connection(wl_display* display) : display_{display}, queue_(display_) {}

    VkResult bind_globals();
    VkResult receive_globals();
    void destroy(wl_registry* registry);
    void bind_dmabuf(AnnouncedGlobal& global);

    Display display_;
    EventQueue queue_;
    Proxy<zwp_linux_dmabuf_v1> dmabuf_;
    Tranche version_3_pending_; ///< the formats received so far
    std::shared_ptr<const DmabufFormats> version_3_list_;
    ShmGlobal shm_;
    Proxy<wp_fifo_manager_v1> fifo_;
    Proxy<wl_fixes> fixes_; ///< during bind_globals() only
    ExplicitSyncManager explicit_sync_;
    TearingManager tearing_;
    ColourManager colours_;
    AlphaManager alpha_;
    PresentationGlobal presentation_;
    CommitTimingManager commit_timing_;
    bool bind_failed_ = false; ///< memory for one of them could not be allocated
};

} // namespace fencebridge::wayland
