// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <optional>

#include "core/frame_pacing.hpp"
#include "util/locked.hpp"
#include "wayland/connection.hpp"
#include "wayland/dmabuf_feedback.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/explicit_sync.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

class Surface;

/// Ends one use of a Surface.
struct SurfaceLeaver {
    void operator()(Surface* surface) const;
};
using SurfaceUse = std::unique_ptr<Surface, SurfaceLeaver>;

/// What all swapchains on one wl_surface share, whatever VkSurfaceKHR, VkInstance or VkDevice they
/// came through: what the compositor takes, the objects of which a wl_surface can have one, and the
/// pace of frames, which a new swapchain must not lose.
///
/// It exists only while a swapchain uses it, for whose lifetime VK_KHR_wayland_surface
/// guarantees the wl_surface. It comes and goes with requests alone, under one lock, so that the
/// compositor sees the destruction of one wp_fifo_v1 or wp_linux_drm_syncobj_surface_v1 before the
/// creation of the next.
class Surface {
public:
    /// Uses the one of this wl_surface, or makes one.
    /// @param connection  of its wl_display, to a compositor with zwp_linux_dmabuf_v1
    /// @return null when memory is out
    [[nodiscard]] static SurfaceUse use(std::shared_ptr<Connection> connection,
                                        wl_surface* surface);

    ~Surface() = default;
    Surface(const Surface&) = delete;
    Surface& operator=(const Surface&) = delete;

    [[nodiscard]] Connection& connection() const { return *connection_; }

    /// What the compositor takes for this surface, as far as that has been read. Makes no round
    /// trip.
    /// @return null before the first feedback; or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] std::expected<std::shared_ptr<const core::DmabufFeedback>, VkResult> feedback();

    /// For Pacing::barrier, before the first commit of a swapchain.
    /// @return false when memory is out, or the compositor has no wp_fifo_v1
    [[nodiscard]] bool prepare_fifo();

    /// What a commit shows, all of it new.
    struct Content {
        wl_buffer* buffer;
        const Timelines* timelines; ///< null where fences travel with the buffer
        core::CommitPoints points;  ///< with timelines
    };
    /// Shows a buffer at this pace: waits for its turn, at most Pace::patience.
    /// @param pace  core::pace_of() the swapchain
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR, also when libwayland is out of memory
    [[nodiscard]] VkResult commit(const Content& content, core::Pacing pacing,
                                  const std::optional<core::Pace>& pace, core::Turn turn);
    /// How long a commit at this pace would wait now.
    [[nodiscard]] core::CommitWait expected_wait(const core::Pace& pace);

private:
    friend SurfaceLeaver;
    struct Handlers;

    Surface(std::shared_ptr<Connection> connection, wl_surface* surface);

    [[nodiscard]] bool is_complete() const;
    std::optional<Clock::time_point> must_wait_until(const core::Pace& pace) const;
    VkResult wait_for_frame(const core::Pace& pace);
    void request_frame_callback(const core::Pace& pace);
    void request_barrier();

    const std::shared_ptr<Connection> connection_;
    wl_surface* const surface_; ///< the application's
    EventQueue queue_;
    Wrapper<wl_surface> wrapper_;
    std::optional<DmabufFeedback> feedback_; ///< none with version 3 of zwp_linux_dmabuf_v1

    struct Frame {
        core::FramePacer pacer;
        Proxy<wl_callback> callback;
    };
    Locked<Frame> frame_;

    /// Keeps one commit's requests together. Only requests are made under it, which do not wait.
    std::mutex commit_mutex_;
    // Behind it, the objects of which a wl_surface can have one, made when first needed:
    Proxy<wp_fifo_v1> fifo_;
    ExplicitSync explicit_sync_;
};

} // namespace fencebridge::wayland
