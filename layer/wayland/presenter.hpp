// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "core/frame_pacing.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "util/locked.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/surface.hpp"

namespace fencebridge::wayland {

/// Shows a swapchain's images on a wl_surface, each as one wl_buffer made from its dma-buf.
class WaylandPresenter final : public Presenter {
public:
    /// Makes the buffers and waits for the compositor to take them, for which it does not kill
    /// the connection when it does not (zwp_linux_buffer_params_v1.create).
    /// @param ring  must outlive the presenter
    /// @return VK_ERROR_INITIALIZATION_FAILED when the compositor refuses a buffer,
    ///         VK_ERROR_SURFACE_LOST_KHR, VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] static std::expected<std::unique_ptr<Presenter>, VkResult>
    create(std::shared_ptr<Surface> surface, PresenterParameters parameters,
           const std::vector<image::SwapchainImage>& images, Locked<core::ImageRing>& ring);

    std::expected<Stamp, VkResult> update() override;
    VkResult wait(Stamp seen, const Deadline& deadline, std::span<pollfd> also) override;
    core::CommitWait expected_wait() override;
    VkResult present(core::ImageIndex image,
                     const std::optional<core::CommitPoints>& points) override;

    ~WaylandPresenter() override;

private:
    struct Handlers;

    /// One image's buffer; handlers find it by its address.
    struct Slot {
        WaylandPresenter* presenter;
        core::ImageIndex image;
        Proxy<zwp_linux_buffer_params_v1> params; ///< until the compositor has answered
        Proxy<wl_buffer> buffer;
        Timelines timelines; ///< where fences go by those
        bool refused = false;
    };

    WaylandPresenter(std::shared_ptr<Surface> surface, PresenterParameters parameters,
                     Locked<core::ImageRing>& ring);

    VkResult request_buffers(const std::vector<image::SwapchainImage>& images);
    VkResult wait_for_answers();
    VkResult import_timelines();
    bool is_suboptimal(const std::shared_ptr<const core::DmabufFeedback>& feedback);

    const std::shared_ptr<Surface> surface_;
    PresenterParameters parameters_;
    const core::Pacing pacing_;
    const std::optional<core::Pace> pace_;
    Locked<core::ImageRing>& ring_;
    EventQueue queue_;
    std::vector<Slot> slots_;
    std::shared_ptr<wp_fifo_v1> fifo_; ///< with Pacing::barrier

    /// The modifier in use, and the feedback last looked at: at first the one that the images were
    /// made for.
    uint64_t modifier_ = 0;
    struct Judged {
        std::shared_ptr<const core::DmabufFeedback> feedback;
        bool suboptimal = false;
    };
    Locked<Judged> judged_;
};

} // namespace fencebridge::wayland
