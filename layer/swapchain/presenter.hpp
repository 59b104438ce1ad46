// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>
#include <vulkan/vulkan.h>

#include "core/event_stamp.hpp"
#include "core/frame_pacing.hpp"
#include "core/present_completions.hpp"
#include "core/timeline_point.hpp"
#include "swapchain/present_request.hpp"
#include "util/deadline.hpp"

namespace fencebridge {

/// A window system's side of one swapchain: shows images. It is made with the swapchain's
/// PresentationState, and marks there which images the window system has released.
class Presenter {
public:
    virtual ~Presenter() = default;

    /// Marks as released every image whose release can be seen without waiting.
    /// @return a stamp for wait(); or VK_ERROR_SURFACE_LOST_KHR when the window system is gone;
    ///         VK_ERROR_OUT_OF_DATE_KHR when no image of the swapchain can be shown any more
    [[nodiscard]] virtual std::expected<core::EventStamp, VkResult> update() = 0;

    /// Waits for events since `seen`, or for one of `also`, at most until the deadline.
    /// @param also  at most core::max_images; filled in as by poll(2)
    /// @return VK_SUCCESS, VK_TIMEOUT, VK_ERROR_SURFACE_LOST_KHR or VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] virtual VkResult wait(core::EventStamp seen, const Deadline& deadline,
                                        std::span<pollfd> also) = 0;

    /// What prepare() would wait for now until the window's turn. Does not wait.
    /// @param mode  PresentRequest::mode
    [[nodiscard]] virtual core::ExpectedWait estimate_wait(VkPresentModeKHR mode) = 0;

    /// Whether prepare() would wait for something that the last show() causes, or change what that
    /// show() uses: it can do its work only after that show().
    /// @param mode  PresentRequest::mode
    [[nodiscard]] virtual bool follows_last(VkPresentModeKHR /*mode*/) { return false; }

    /// Called before show(). Waits for what the image has to wait for on the window system's side:
    /// the window's turn, if PresentRequest::turn says so, and answers. If the request is not
    /// PresentRequest::last_is_shown, changes nothing that a show() uses.
    /// @param request  its may_commit is set
    /// @return VK_SUCCESS, VK_ERROR_OUT_OF_DATE_KHR, VK_ERROR_SURFACE_LOST_KHR or
    ///         VK_ERROR_DEVICE_LOST
    [[nodiscard]] virtual VkResult prepare(PresentRequest& /*request*/) { return VK_SUCCESS; }

    /// Shows an image, in the order and at the pace of the present mode. The bridge has attached
    /// the image's fences. If the request is timed, calls its schedule() and queued() when it
    /// queues the image. May be called in another thread than prepare(), but the calls follow each
    /// other. Reads from the window system only if PresentRequest::may_read is set.
    /// @param points  the fences' timeline points, for a presenter that was made with timelines
    /// @return VK_SUCCESS; VK_SUBOPTIMAL_KHR when the image is shown, but a new swapchain could be
    ///         shown better; VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR when the image
    ///         is not shown
    [[nodiscard]] virtual VkResult show(const PresentRequest& request,
                                        const std::optional<core::CommitPoints>& points) = 0;

    /// Waits until the request with this id (PresentRequest::id), or a later one, is complete: its
    /// image was shown, or never will be. Any number of threads may wait. Only for a presenter that
    /// reports presents.
    /// @return VK_SUCCESS, VK_TIMEOUT, VK_ERROR_SURFACE_LOST_KHR, or the reason of end_presents()
    [[nodiscard]] virtual VkResult wait_for_present(core::PresentId id,
                                                    const Deadline& deadline) = 0;

    /// A present has failed, before show() or in it, and so will all later ones. Ends the waits in
    /// wait_for_present() for requests that were not shown. For the thread that calls show().
    /// @param why  core::ends_presents() is true
    virtual void end_presents(VkResult why) = 0;

    /// Reads and handles the reports about PresentRequest::timed that have arrived, without
    /// waiting. Any thread may call it.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] virtual VkResult receive_reports() { return VK_SUCCESS; }

    /// A new swapchain replaces this one. Its images come after those that show() was called with.
    /// The application makes no other call with the swapchain meanwhile.
    virtual void retire() {}

    /// The metadata of the images that show() shows from now on (vkSetHdrMetadataEXT). Does not
    /// wait. Any thread may call it.
    virtual void set_hdr_metadata(const VkHdrMetadataEXT&) {}

    /// Whether a new swapchain could be shown better, as of the last update() or show().
    [[nodiscard]] virtual bool is_suboptimal() const = 0;
};

} // namespace fencebridge
