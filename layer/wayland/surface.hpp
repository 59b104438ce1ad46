// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>

#include "core/frame_pacing.hpp"
#include "swapchain/window.hpp"
#include "util/locked.hpp"
#include "wayland/dmabuf_feedback.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/explicit_sync.hpp"
#include "wayland/proxy.hpp"

struct wp_fifo_v1; // not in every build's protocol headers

namespace fencebridge::wayland {

/// A wl_surface of the application's, and what every swapchain on it shares: the globals, what the
/// compositor takes, and the pace of frames, which a new swapchain must not lose.
class Surface final : public Window, public std::enable_shared_from_this<Surface> {
public:
    /// Binds the globals and waits for the first feedback: two round trips, the only ones that the
    /// surface ever makes.
    /// @return or, for the log, why buffers cannot be shared with this compositor
    [[nodiscard]] static std::expected<std::shared_ptr<Surface>, std::string>
    create(wl_display* display, wl_surface* surface);

    ~Surface() override;

    [[nodiscard]] wl_display* display() const { return queue_.display(); }
    [[nodiscard]] zwp_linux_dmabuf_v1* dmabuf() const { return dmabuf_.get(); }
    [[nodiscard]] bool has_fifo() const;

    std::expected<std::shared_ptr<const core::DmabufFeedback>, VkResult> feedback() override;
    std::expected<sync::TimelineTaker, std::string> timeline_taker() override;
    std::expected<std::unique_ptr<Presenter>, VkResult>
    create_presenter(PresenterParameters parameters,
                     const std::vector<image::SwapchainImage>& images,
                     Locked<core::ImageRing>& ring) override;

    /// The surface's fifo object, for as long as a swapchain uses it: a surface can have one only,
    /// and the driver's own swapchains may want it after the layer's.
    /// @return null when memory is out, or has_fifo() is false
    [[nodiscard]] std::shared_ptr<wp_fifo_v1> share_fifo();

    /// @return null timelines when memory is out
    [[nodiscard]] Timelines import(const sync::ImageTimelines& timelines) const {
        return explicit_sync_.import(timelines);
    }

    /// What a commit shows, all of it new.
    struct Content {
        wl_buffer* buffer;
        const Timelines* timelines; ///< null where fences travel with the buffer
        core::CommitPoints points;  ///< with timelines
    };
    /// Shows a buffer at this pace: waits for its turn, at most Pace::patience.
    /// @param pace  core::pace_of() the swapchain
    /// @param fifo  with Pacing::barrier; else null
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR, also when libwayland is out of memory
    [[nodiscard]] VkResult commit(const Content& content, const std::optional<core::Pace>& pace,
                                  wp_fifo_v1* fifo);
    /// How long a commit at this pace would wait now.
    [[nodiscard]] core::CommitWait expected_wait(const core::Pace& pace);
    /// The swapchain of the last commit goes. The driver's own may want to extend the surface,
    /// which only one can at a time.
    void leave_explicit_sync();

private:
    struct Handlers;

    Surface(wl_display* display, wl_surface* surface);

    std::expected<void, std::string> bind_globals();
    void bind_dmabuf(wl_registry* registry, uint32_t name, uint32_t version);
    std::optional<Clock::time_point> must_wait_until(const core::Pace& pace) const;
    VkResult wait_for_frame(const core::Pace& pace);
    void request_frame_callback(const core::Pace& pace);
    static void request_barrier(wp_fifo_v1* fifo);

    wl_surface* const surface_; ///< the application's
    EventQueue queue_;
    Wrapper<wl_surface> wrapper_;
    Proxy<zwp_linux_dmabuf_v1> dmabuf_;
    std::unique_ptr<DmabufFeedback> feedback_;
#ifdef FENCEBRIDGE_HAVE_FIFO_V1
    Proxy<wp_fifo_manager_v1> fifo_manager_;
#endif
    std::weak_ptr<wp_fifo_v1> fifo_;
    ExplicitSync explicit_sync_;

    struct Frame {
        core::FramePacer pacer;
        Proxy<wl_callback> callback;
    };
    Locked<Frame> frame_;

    /// Keeps one commit's requests together. Only requests are made under it, which do not wait.
    std::mutex commit_mutex_;
};

} // namespace fencebridge::wayland
