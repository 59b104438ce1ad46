// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/refresh_queue.hpp"
#include "headless/capture.hpp"
#include "swapchain/present_clock.hpp"
#include "swapchain/presenter.hpp"
#include "swapchain/window.hpp"
#include "util/fd.hpp"

namespace fencebridge::headless {

/// Shows images on a display that exists only as a clock (core::RefreshQueue).
///
/// No thread runs at a refresh. Each call finds out what has happened until now, and what waits
/// for a refresh waits until its time.
class HeadlessPresenter final : public Presenter {
public:
    /// @param eventfd           not blocking
    /// @param reports_presents  PresenterParameters::reports_presents
    /// @param state             must outlive the presenter
    HeadlessPresenter(Fd eventfd, const core::RefreshGrid& refreshes, size_t images,
                      bool reports_presents, std::optional<Capture> capture,
                      PresentationState& state);
    ~HeadlessPresenter() override;

    std::expected<core::EventStamp, VkResult> update() override;
    VkResult wait(core::EventStamp seen, const Deadline& deadline, std::span<pollfd> also) override;
    /// show() waits for nothing: as many images as the swapchain has may wait for a refresh.
    core::ExpectedWait estimate_wait(VkPresentModeKHR) override { return {}; }
    VkResult show(const PresentRequest& request,
                  const std::optional<core::CommitPoints>& points) override;
    VkResult wait_for_present(core::PresentId id, const Deadline& deadline) override;
    VkResult receive_reports() override;
    void end_presents(VkResult why) override;
    bool is_suboptimal() const override { return false; }

private:
    /// A sync_file. Shared, since a thread polls it without the lock.
    using Rendering = std::shared_ptr<const Fd>;

    /// What is known of a frame that waits to be shown.
    struct Record {
        core::PresentSerial serial; ///< of `queue`
        std::optional<core::PresentId> id;
        std::optional<core::PresentSerial> timed; ///< of PresentationState::timing
        uint64_t traced;     ///< of PresentationState::trace; 0: the frame is not traced
        Rendering rendering; ///< null: ended
    };
    struct State {
        core::RefreshQueue queue;
        std::vector<Record> records; ///< of the frames in `queue`
        core::PresentCompletions completions;
        uint64_t shown = 0; ///< frames
    };
    /// The next frame to be shown.
    struct Next {
        core::PresentationTime due;
        Rendering rendering; ///< what it waits for, if `due` has passed
    };

    static Rendering copy_rendering(const sync::Rendering& rendering) noexcept;
    static std::optional<core::PresentationTime> end_of(const State& state,
                                                        core::PresentSerial serial);
    static std::optional<Next> next_of(const State& state);

    // With mutex_ held:
    void advance(core::PresentationTime now, core::ImageList& released);
    void handle(const core::RefreshQueue::Event& event, core::ImageList& released);

    // Without:
    void advance();
    void deliver(const core::ImageList& released);
    void count_event();

    const Fd eventfd_; ///< readable after a present or a release, until update()
    const PresentClock clock_;
    const bool reports_presents_;
    PresentationState& presentation_;
    std::optional<Capture> capture_; ///< used by show() only
    uint64_t presented_ = 0;         ///< used by show() only
    /// The number of presents and releases.
    std::atomic<uint64_t> events_ = 0;

    std::mutex mutex_;                ///< guards state_
    std::condition_variable changed_; ///< frames were presented, or are complete
    State state_;
};

} // namespace fencebridge::headless
