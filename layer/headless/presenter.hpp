// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "util/fd.hpp"

namespace fencebridge::headless {

/// A presenter without a screen: show() counts the frame and releases the image at once.
class HeadlessPresenter final : public Presenter {
public:
    /// @param eventfd  not blocking
    /// @param state    must outlive the presenter
    HeadlessPresenter(Fd eventfd, PresentationState& state) :
        eventfd_(std::move(eventfd)), state_(state) {}
    ~HeadlessPresenter() override;

    std::expected<core::EventStamp, VkResult> update() override;
    VkResult wait(core::EventStamp seen, const Deadline& deadline, std::span<pollfd> also) override;
    core::ExpectedWait estimate_wait(VkPresentModeKHR) override { return {}; }
    VkResult show(const PresentRequest& request,
                  const std::optional<core::CommitPoints>& points) override;
    VkResult wait_for_present(core::PresentId id, const Deadline& deadline) override;
    bool is_suboptimal() const override { return false; }

private:
    const Fd eventfd_; ///< readable when a frame was shown since the last update()
    PresentationState& state_;
    std::atomic<uint64_t> frames_ = 0;

    std::mutex completions_mutex_; ///< guards completions_
    std::condition_variable completed_;
    core::PresentCompletions completions_;
};

} // namespace fencebridge::headless
