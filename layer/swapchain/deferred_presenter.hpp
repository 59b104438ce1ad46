// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>
#include <vulkan/vulkan.h>

#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"

namespace fencebridge {

/// Shows images whose memory carries no fences: each image goes to the window system's presenter
/// when its rendering has ended. vkQueuePresentKHR does not wait for that. It queues the
/// image, and a thread waits and shows it. Images are shown in the order of their presents.
///
/// Each such swapchain has a thread of its own; the layer has no others. The thread starts with the
/// first present whose rendering has not ended, and ends with the swapchain. If the queue is empty
/// and the rendering has ended, show() shows the image itself. If the thread cannot be started, or
/// memory or descriptors run out, show() waits for the rendering.
///
/// The thread waits for renderings alone. It never reads from the window system: such a read waits
/// for other threads of the application (wl_display_read_events), and the destructor waits for the
/// thread. So everything that an image waits for on the window system's side is in prepare(), on
/// the application's thread. Where that depends on the image before (Presenter::follows_last()),
/// the call first waits until that image is shown.
///
/// If a queued image cannot be shown, those behind it are dropped. The next update() and show()
/// return the error, and threads that wait are woken.
class DeferredPresenter final : public Presenter {
public:
    /// @param inner  the window system's presenter
    /// @param state  must outlive the presenter
    /// @return the error is VK_ERROR_OUT_OF_HOST_MEMORY
    [[nodiscard]] static std::expected<std::unique_ptr<Presenter>, VkResult>
    wrap(std::unique_ptr<Presenter> inner, PresentationState& state);

    /// Shows the queued images whose rendering has ended, and drops the others. Does not wait for
    /// any rendering.
    ~DeferredPresenter() override;

    std::expected<core::EventStamp, VkResult> update() override;
    VkResult wait(core::EventStamp seen, const Deadline& deadline, std::span<pollfd> also) override;
    core::ExpectedWait estimate_wait(VkPresentModeKHR mode) override;
    VkResult prepare(PresentRequest& request) override;
    VkResult show(const PresentRequest& request,
                  const std::optional<core::CommitPoints>& points) override;
    VkResult wait_for_present(core::PresentId id, const Deadline& deadline) override {
        return inner_->wait_for_present(id, deadline);
    }
    /// Waits until the queued images are shown, or the first of them has failed.
    void end_presents(VkResult why) override;
    VkResult receive_reports() override { return inner_->receive_reports(); }
    void set_hdr_metadata(const VkHdrMetadataEXT& metadata) override {
        inner_->set_hdr_metadata(metadata);
    }
    bool is_suboptimal() const override { return inner_->is_suboptimal(); }
    /// Waits until the queued images are shown: those of a new swapchain must not come before them.
    /// From now on, show() waits for the rendering.
    void retire() override;

private:
    /// A request, with copies of what the application owns.
    struct Queued {
        PresentRequest request;
        sync::Rendering rendering;
        std::vector<VkRectLayerKHR> damage;
        std::optional<PresentTiming::Request> timed;
    };

    DeferredPresenter(std::unique_ptr<Presenter> inner, PresentationState& state, Fd interrupt) :
        inner_(std::move(inner)), state_(state), interrupt_(std::move(interrupt)) {}

    bool is_idle();
    void wait_until_idle();
    bool queue(const PresentRequest& request);
    VkResult show_now(const PresentRequest& request);
    VkResult commit(const PresentRequest& request);
    bool start_thread();
    void run();
    VkResult show_when_rendered(Queued& queued);
    void note_shown(VkResult result);

    const std::unique_ptr<Presenter> inner_;
    PresentationState& state_;
    /// An eventfd that interrupts the waits for renderings and for free images. Readable once
    /// neither is to be waited for any more.
    const Fd interrupt_;
    /// Why no further image is shown; VK_SUCCESS so far.
    std::atomic<VkResult> failure_ = VK_SUCCESS;
    std::atomic<bool> retired_ = false;

    std::mutex mutex_;
    // mutex_ guards these.
    std::condition_variable work_; ///< for the thread: there is something to do
    std::condition_variable idle_; ///< the queue is empty, and nothing is being shown
    std::list<Queued> queue_;
    bool showing_ = false; ///< the thread has removed a request from the queue
    bool stop_ = false;

    std::thread thread_; ///< started by the presenting thread
};

} // namespace fencebridge
