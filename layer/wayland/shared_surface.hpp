// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vulkan/vulkan.h>

#include "core/commit_plan.hpp"
#include "core/frame_pacing.hpp"
#include "sync/rendering.hpp"
#include "util/locked.hpp"
#include "wayland/alpha.hpp"
#include "wayland/colour.hpp"
#include "wayland/commit_answers.hpp"
#include "wayland/commit_timing.hpp"
#include "wayland/connection.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/explicit_sync.hpp"
#include "wayland/presentation_feedback.hpp"
#include "wayland/proxy.hpp"
#include "wayland/surface_feedback.hpp"
#include "wayland/tearing.hpp"

namespace fencebridge::wayland {

class SharedSurface;

struct SharedSurfaceDeleter {
    void operator()(SharedSurface* surface) const;
};
using SharedSurfaceUse = std::unique_ptr<SharedSurface, SharedSurfaceDeleter>;

/// The state of a wl_surface that all swapchains on it share, with whatever VkSurfaceKHR,
/// VkInstance or VkDevice they were created: the compositor's feedback, the protocol objects of
/// which a wl_surface can have one, and the pace of frames, which a new swapchain must not lose.
///
/// It exists only while a swapchain uses it. VK_KHR_wayland_surface guarantees the wl_surface for
/// that time. One lock is held during the creation and the destruction of every SharedSurface. So
/// the compositor sees the destruction of one object of a protocol of wayland::Protocol before the
/// creation of the next. Creation and destruction only make requests, which do not wait.
class SharedSurface {
public:
    /// Returns the state of this wl_surface, creating it for the first user.
    /// @param connection  the Connection of the wl_surface's wl_display
    /// @return null if memory could not be allocated
    [[nodiscard]] static SharedSurfaceUse get(std::shared_ptr<Connection> connection,
                                              wl_surface* surface);

    ~SharedSurface() = default;
    SharedSurface(const SharedSurface&) = delete;
    SharedSurface& operator=(const SharedSurface&) = delete;

    [[nodiscard]] Connection& connection() const { return *connection_; }

    /// Dispatches the events that have been read. Makes no round trip.
    /// @return the number of feedbacks that the compositor has sent; or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] std::expected<uint64_t, VkResult> count_feedback();
    /// The last of these feedbacks; null before the first.
    [[nodiscard]] std::shared_ptr<const DmabufFormats> last_feedback() const;

    /// Destroys the objects of which a wl_surface can have one, if the layer has any: a driver is
    /// about to make its own. From now on, commits of the swapchains that use the state now return
    /// VK_ERROR_OUT_OF_DATE_KHR.
    static void leave_to_driver(const void* surface);
    /// The number of times that this has happened.
    [[nodiscard]] uint64_t departures();

    /// What the commits of a swapchain depend on.
    struct Mode {
        VkPresentModeKHR mode;            ///< one that core::offered_modes() has for the protocols
        size_t images;                    ///< of the swapchain
        core::PresentProtocols protocols; ///< that the swapchain may use
    };
    /// The contents of a commit.
    struct Content {
        Mode mode;
        wl_buffer* buffer;
        const Timelines* timelines;          ///< null where fences travel with the buffer
        core::CommitPoints points;           ///< used with timelines only
        const ImageDescription* description; ///< null: the compositor assumes sRGB
        bool straight_alpha;
        /// The parts that differ from the swapchain's last commit. Empty: all of the surface.
        std::span<const VkRectLayerKHR> damage;
        PresentationFeedback::Request* feedback; ///< null: the commit is not reported
        PresentTiming::Request* timed;           ///< null: the commit has no time
        bool may_read;                           ///< commit() may read the socket
        /// False: the compositor does not read. Then the surface's last commit stands for this one,
        /// if it was the swapchain's.
        bool may_commit;
    };
    /// What the surface remembers about a swapchain. The swapchain keeps it, and passes it to each
    /// of its commits.
    struct SwapchainCommits {
        uint64_t departures;      ///< departures() when the swapchain was created
        uint64_t last_commit = 0; ///< the number of its last commit on this surface; 0: none
    };
    /// The next commit is the first one of a swapchain.
    void begin_swapchain() {
        frame_.with([](Frame& frame) { frame.pacer.begin_swapchain(); });
    }
    /// What a next commit would be throttled by.
    [[nodiscard]] core::Pacing pacing(const Mode& mode) const { return plan_for(mode).throttle; }
    /// Waits for the surface's turn, which core::FramePacer decides.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait_for_turn(const Mode& mode);
    /// Before a commit of an image that the application shares with the compositor: waits until the
    /// commit cannot fill the socket, which core::UnreadCommits decides.
    /// @param rendering  what the compositor would know by an acquire point alone. If there is to
    ///                   be no commit, this waits for it on the CPU. Null without timelines
    /// @return VK_SUCCESS; VK_TIMEOUT: the compositor does not read (Content::may_commit);
    ///         VK_ERROR_SURFACE_LOST_KHR; or VK_ERROR_DEVICE_LOST: the wait for the rendering has
    ///         failed
    [[nodiscard]] VkResult wait_until_read(const sync::Rendering* rendering);
    /// Commits a buffer. Makes requests only. If the connection is lost, reads its last event.
    /// @param swapchain  updated
    /// @return VK_SUCCESS; VK_ERROR_SURFACE_LOST_KHR, also when libwayland is out of memory; or
    ///         VK_ERROR_OUT_OF_DATE_KHR, see leave_to_driver()
    [[nodiscard]] VkResult commit(const Content& content, SwapchainCommits& swapchain);
    /// What a commit is expected to wait for now. If the commit would wait, this first reads the
    /// events that have arrived, without waiting for more.
    [[nodiscard]] core::ExpectedWait estimate_wait(const Mode& mode);

    /// A swapchain whose commits have a description comes into being, and is destroyed. After the
    /// last of them, VK_KHR_wayland_surface lets the application create a
    /// wp_color_management_surface_v1 of its own.
    void add_described();
    void remove_described();

private:
    friend SharedSurfaceDeleter;
    struct Handlers;

    SharedSurface(std::shared_ptr<Connection> connection, wl_surface* surface);

    [[nodiscard]] bool is_complete() const;
    core::CommitPlan plan_for(const Mode& mode) const;
    std::optional<Clock::time_point> turn(const core::Pace& pace) const;
    VkResult wait_for(const core::Pace& pace);
    VkResult request_commit(const Content& content, SwapchainCommits& swapchain);
    bool is_unseen() const;
    bool request_frame_callback(const core::Pace& pace, Clock::time_point not_before);
    bool create_fifo();
    void request_barriers(bool wait, bool set);
    void damage(std::span<const VkRectLayerKHR> parts);
    bool set_colours(const Content& content);
    bool schedule(const Content& content, Clock::time_point& not_before);

    const std::shared_ptr<Connection> connection_;
    wl_surface* const surface_; ///< the application's; names this object in the table
    EventQueue queue_;
    /// All requests use this proxy of the layer's. The application may destroy its own too early,
    /// while a DeferredPresenter still has an image to show. Then the commit is a protocol error,
    /// and not a use of freed memory.
    Wrapper<wl_surface> wrapper_;
    std::optional<SurfaceFeedback> feedback_; ///< none with version 3 of zwp_linux_dmabuf_v1

    struct Frame {
        core::FramePacer pacer;
        Proxy<wl_callback> callback;
    };
    Locked<Frame> frame_;
    CommitAnswers answers_;
    /// Of the last commit; see core::plan_commit(). Written with commit_mutex_ held.
    std::atomic<VkPresentModeKHR> last_mode_ = VK_PRESENT_MODE_MAILBOX_KHR;

    /// Keeps the requests of one commit together. Only requests are made with it held, and requests
    /// do not wait.
    std::mutex commit_mutex_;
    // commit_mutex_ guards the rest.
    uint64_t commits_ = 0;
    uint64_t departures_ = 0;
    // Objects of which a wl_surface can have one, created by the first commit that needs them.
    Proxy<wp_fifo_v1> fifo_;
    SyncobjSurface explicit_sync_;
    TearingControl tearing_;
    CommitTimer timer_;
    size_t described_ = 0; ///< swapchains
    SurfaceColour colour_;
    SurfaceAlpha alpha_;
};

} // namespace fencebridge::wayland
