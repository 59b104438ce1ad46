// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "core/frame_pacing.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "util/locked.hpp"
#include "wayland/buffer_request.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/presentation_feedback.hpp"
#include "wayland/shared_surface.hpp"
#include "wayland/shm.hpp"
#include "wayland/swapchain_colour.hpp"
#include "wayland/window.hpp"

namespace fencebridge::wayland {

/// Shows a swapchain's images on a wl_surface, each as one wl_buffer made from its dma-buf, or from
/// its memory by wl_shm.
class WaylandPresenter final : public Presenter {
public:
    /// Makes the buffers and waits for the compositor to import dma-bufs. Buffers of wl_shm have no
    /// answer.
    /// @param state  must outlive the presenter
    /// @return VK_ERROR_INITIALIZATION_FAILED when the compositor refuses a buffer,
    ///         VK_ERROR_FEATURE_NOT_PRESENT when it refuses the description of the colours,
    ///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] static std::expected<std::unique_ptr<Presenter>, VkResult>
    create(std::shared_ptr<WaylandWindow> window, SharedSurfaceUse surface,
           PresenterParameters parameters, const std::vector<image::SwapchainImage>& images,
           PresentationState& state);

    std::expected<core::EventStamp, VkResult> update() override;
    VkResult wait(core::EventStamp seen, const Deadline& deadline, std::span<pollfd> also) override;
    core::ExpectedWait estimate_wait(VkPresentModeKHR mode) override;
    bool follows_last(VkPresentModeKHR mode) override;
    VkResult prepare(PresentRequest& request) override;
    VkResult show(const PresentRequest& request,
                  const std::optional<core::CommitPoints>& points) override;
    VkResult wait_for_present(core::PresentId id, const Deadline& deadline) override {
        return feedback_->wait(id, deadline);
    }
    void end_presents(VkResult why) override {
        if (feedback_)
            feedback_->end(why);
    }
    VkResult receive_reports() override { return feedback_ ? feedback_->receive() : VK_SUCCESS; }
    void set_hdr_metadata(const VkHdrMetadataEXT& metadata) override {
        colour_.set_metadata(metadata);
    }
    bool is_suboptimal() const override { return suboptimal_; }

    ~WaylandPresenter() override;

private:
    struct Handlers;

    /// One image's buffer. The Slot is the data of the buffer's listener, so it must not move.
    struct Slot {
        WaylandPresenter* presenter;
        core::ImageIndex image;
        BufferRequest request;   ///< for a dma-buf
        Proxy<wl_buffer> buffer; ///< once the compositor has answered, if it does
        Timelines timelines;     ///< null where fences travel with the buffer
    };

    WaylandPresenter(std::shared_ptr<WaylandWindow> window, SharedSurfaceUse surface,
                     PresenterParameters parameters, PresentationState& state);

    VkResult request_buffers(const std::vector<image::SwapchainImage>& images);
    VkResult create_shm_buffers(const std::vector<image::SwapchainImage>& images);
    VkResult import_timelines();
    VkResult wait_for_answers();
    void adopt_buffers();
    VkResult compare_feedback();
    bool prefers_another_layout(const DmabufFormats& feedback) const;
    SharedSurface::Mode with(VkPresentModeKHR mode) const {
        return {.mode = mode, .images = image_count_, .protocols = protocols_};
    }

    const std::shared_ptr<WaylandWindow> window_;
    const SharedSurfaceUse surface_;
    PresenterParameters parameters_;
    const size_t image_count_;
    const core::PresentProtocols protocols_;
    PresentationState& state_;
    EventQueue queue_;
    std::optional<PresentationFeedback> feedback_; ///< if the swapchain reports presents
    SwapchainColour colour_;
    std::vector<Slot> slots_;

    uint64_t modifier_ = 0; ///< of the images
    core::Placement placement_ = core::Placement::dma_buf;
    SharedSurface::SwapchainCommits commits_; ///< used by show() only
    // Used by the presenting thread only:
    VkPresentModeKHR prepared_mode_; ///< of the last prepare()
    uint64_t prepared_ = 0;          ///< calls of prepare()
    /// The last feedback that compare_feedback() compared. At first, the feedback that the window
    /// had when the images were made.
    struct ComparedFeedback {
        uint64_t count = 0; ///< SharedSurface::count_feedback()
        std::shared_ptr<const DmabufFormats> feedback;
    };
    Locked<ComparedFeedback> compared_;
    std::atomic<uint64_t> compared_count_ =
        0; ///< ComparedFeedback::count, to be compared without the lock
    /// A new swapchain would be made with another modifier. Written with the lock held.
    std::atomic<bool> suboptimal_ = false;
};

} // namespace fencebridge::wayland
