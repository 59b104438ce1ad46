// SPDX-License-Identifier: MIT
// VK_GOOGLE_display_timing: when images are to be shown, and when they were.
#include "fixture.hpp"
#include "signal_times.hpp"
#include "skipped_waits.hpp"

#include <time.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

namespace fencebridge::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

uint64_t now_on(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

constexpr uint64_t ns(nanoseconds duration) { return uint64_t(duration.count()); }

Script with_presentation(Globals globals = {}) {
    globals.presentation = 1;
    globals.commit_timing = 1; // left out where the build does not have it
    return {.globals = globals, .discard_superseded = false};
}

class DisplayTiming : public CompositorTest {
protected:
    void begin(const Script& script = with_presentation(),
               VkPresentModeKHR mode = VK_PRESENT_MODE_MAILBOX_KHR) {
        client_.emplace(
            start(script).connect(), InstanceOptions{},
            std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME});
        swapchain_ = client_->swapchain({.mode = mode});
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        CompositorTest::TearDown();
    }

    VkResult present(uint32_t id, uint64_t desired = 0) {
        const auto [result, index] = client_->acquire(swapchain_);
        EXPECT_EQ(result, VK_SUCCESS);
        const VkResult presented = present_image(index, id, desired);
        compositor_->settle();
        return presented;
    }
    VkResult present_image(uint32_t index, uint32_t id, uint64_t desired,
                           std::vector<VkSemaphore> wait = {}) {
        const VkPresentTimeGOOGLE time{.presentID = id, .desiredPresentTime = desired};
        const VkPresentTimesInfoGOOGLE times{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE,
                                             .pNext = nullptr,
                                             .swapchainCount = 1,
                                             .pTimes = &time};
        return test::present(client_->device.queue, swapchain_, index, std::move(wait), &times);
    }

    template <class Function>
    Function find(const char* name) {
        const auto function =
            reinterpret_cast<Function>(vkGetDeviceProcAddr(client_->device, name));
        EXPECT_NE(function, nullptr) << name;
        return function;
    }
    uint64_t refresh() {
        VkRefreshCycleDurationGOOGLE refresh{};
        EXPECT_EQ(find<PFN_vkGetRefreshCycleDurationGOOGLE>("vkGetRefreshCycleDurationGOOGLE")(
                      client_->device, swapchain_, &refresh),
                  VK_SUCCESS);
        return refresh.refreshDuration;
    }
    VkResult query(uint32_t& count, VkPastPresentationTimingGOOGLE* timings) {
        return find<PFN_vkGetPastPresentationTimingGOOGLE>("vkGetPastPresentationTimingGOOGLE")(
            client_->device, swapchain_, &count, timings);
    }
    std::vector<VkPastPresentationTimingGOOGLE> past(uint32_t room = 64,
                                                     VkResult expected = VK_SUCCESS) {
        std::vector<VkPastPresentationTimingGOOGLE> timings(room);
        EXPECT_EQ(query(room, timings.data()), expected);
        timings.resize(room);
        return timings;
    }

    std::optional<Client> client_;
    Swapchain swapchain_;
};

TEST_F(DisplayTiming, TheRefreshIsTheUsualOneUntilOneIsReported) {
    begin();
    EXPECT_EQ(refresh(), 16'667'000u);
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(0, {.refresh = 10ms}));
    EXPECT_EQ(refresh(), ns(10ms));
}

TEST_F(DisplayTiming, AResultHasTheCompositorsTime) {
    begin();
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(present(9), VK_SUCCESS);
    uint32_t count = 7;
    EXPECT_EQ(query(count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, 0u);
    const uint64_t shown = now_on(CLOCK_MONOTONIC) + ns(1h);
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(shown), .refresh = 10ms}));
    EXPECT_EQ(query(count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, 1u);
    const auto results = past();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].presentID, 9u);
    EXPECT_EQ(results[0].desiredPresentTime, 0u);
    EXPECT_EQ(results[0].actualPresentTime, shown);
    EXPECT_EQ(results[0].earliestPresentTime, shown);
    EXPECT_GT(results[0].presentMargin, ns(59min));
    EXPECT_LT(results[0].presentMargin, shown - before);
    EXPECT_EQ(past().size(), 0u) << "each is returned once";
}

TEST_F(DisplayTiming, AnInterruptionDoesNotFalsifyTheTimesOfAnotherClock) {
    const SkippedWaits skipped;
    Script script = with_presentation();
    script.presentation_clock = CLOCK_MONOTONIC_RAW;
    begin(script);
    ASSERT_EQ(present(1), VK_SUCCESS);
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    ASSERT_TRUE(compositor_->present(0));
    interruption_ns = int64_t(ns(1h));
    const auto results = past();
    EXPECT_EQ(interruption_ns, 0);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_GT(results[0].actualPresentTime, before - ns(1min));
    EXPECT_LT(results[0].actualPresentTime, before + ns(1min));
}

TEST_F(DisplayTiming, ResultsThatDoNotFitStay) {
    begin();
    for (uint32_t id : {1, 2, 3}) {
        ASSERT_EQ(present(id), VK_SUCCESS);
        ASSERT_TRUE(compositor_->present(id - 1));
    }
    const auto first = past(2, VK_INCOMPLETE);
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[1].presentID, 2u);
    const auto rest = past(2);
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].presentID, 3u);
}

TEST_F(DisplayTiming, AnImageThatIsNeverShownHasNoResult) {
    begin();
    ASSERT_EQ(present(1), VK_SUCCESS);
    ASSERT_EQ(present(2), VK_SUCCESS);
    ASSERT_TRUE(compositor_->discard(0));
    ASSERT_TRUE(compositor_->present(1));
    const auto results = past();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].presentID, 2u);
}

TEST_F(DisplayTiming, WithoutReportsThereAreNoResults) {
    begin(Script{});
    ASSERT_EQ(present(1), VK_SUCCESS);
    EXPECT_EQ(past().size(), 0u);
    EXPECT_EQ(refresh(), 16'667'000u);
}

TEST_F(DisplayTiming, APresentWithoutAnIdIsNotReported) {
    begin();
    ASSERT_EQ(client_->frame(swapchain_), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_presentation", "feedback"), 0u);
}

// "Relative to a monotonically-increasing clock (e.g. CLOCK_MONOTONIC)", whatever the compositor's.
TEST_F(DisplayTiming, TimesAreThoseOfTheMonotonicClock) {
    Script script = with_presentation();
    script.presentation_clock = CLOCK_REALTIME; // decades ahead
    begin(script);
    ASSERT_EQ(present(1), VK_SUCCESS);
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    ASSERT_TRUE(compositor_->present(0));
    const auto results = past();
    const uint64_t after = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(results.size(), 1u);
    // The two clocks are read one after the other.
    EXPECT_GT(results[0].actualPresentTime, before - ns(1s));
    EXPECT_LT(results[0].actualPresentTime, after + ns(1s));
}

TEST_F(DisplayTiming, TheMarginStartsWhenTheRenderingHasEnded) {
    begin();
    const uint64_t now = now_on(CLOCK_MONOTONIC);
    const SignalTimes times(now + ns(1h));
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client_->device);
    const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
    {
        const SkippedWaits skipped;
        before_endless_wait = [] { fake_driver().hold_rendering(VK_FALSE); };
        ASSERT_EQ(present_image(index, 1, 0, {rendered}), VK_SUCCESS);
    }
    compositor_->settle();
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(now) + 2h, .refresh = 10ms}));
    const auto results = past();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].presentMargin, ns(1h - 10ms));
}

TEST_F(DisplayTiming, TheRenderingsOfResultsThatNobodyTakesAreClosed) {
    begin();
    const SignalTimes times(1);
    size_t open = 0;
    for (uint32_t id = 0; id < 100; ++id) {
        fake_driver().hold_rendering(VK_TRUE);
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
        const SkippedWaits skipped;
        before_endless_wait = [] { fake_driver().hold_rendering(VK_FALSE); };
        ASSERT_EQ(present_image(index, id, 0, {rendered}), VK_SUCCESS);
        vkDeviceWaitIdle(client_->device);
        open = std::max(open, open_fds());
    }
    EXPECT_LT(open, open_fds() + 20);
    EXPECT_LT(open, 100u);
}

#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
TEST_F(DisplayTiming, TheDesiredTimeIsTheTimeOfTheCommit) {
    begin(with_presentation(), VK_PRESENT_MODE_FIFO_KHR);
    const uint64_t desired = now_on(CLOCK_MONOTONIC) + ns(10ms);
    ASSERT_EQ(present(1, desired), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time,
              (TargetTime{desired / 1'000'000'000, uint32_t(desired % 1'000'000'000)}));
    ASSERT_TRUE(compositor_->present(0));
    EXPECT_EQ(past().at(0).desiredPresentTime, desired);
}

// Images are shown in their order, and no request takes a time back.
TEST_F(DisplayTiming, ATimeOfAnotherClockHoldsNoImageBack) {
    Script script = with_presentation();
    script.refresh = Refresh::manual;
    begin(script, VK_PRESENT_MODE_FIFO_KHR);
    const SkippedWaits skipped;
    const ErrorLog log;
    for (uint32_t id : {1, 2}) {
        ASSERT_EQ(present(id, now_on(CLOCK_REALTIME)), VK_SUCCESS);
        EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
    }
    EXPECT_LT(uint64_t(skipped_ns), ns(2s)) << "as for a hidden window";
    EXPECT_EQ(log.lines_with({"error:", "VkPresentTimeGOOGLE"}).size(), 1u) << log.text();
}

// MAILBOX: if a desired time "is far enough in the future that an image is not presented before
// vkQueuePresentKHR is called to present another image, the first image will not be displayed". A
// commit with a time would be, and the next commits would wait for it.
TEST_F(DisplayTiming, OnlyImagesInAQueueWaitForTheirTime) {
    for (const VkPresentModeKHR mode :
         {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR}) {
        begin(with_presentation({.tearing = 1}), mode);
        ASSERT_EQ(present(1, now_on(CLOCK_MONOTONIC) + ns(10ms)), VK_SUCCESS);
        EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
        TearDown();
        SetUp();
    }
}
#endif

TEST_F(DisplayTiming, AnImageThatWasDelayedCouldHaveBeenShownEarlier) {
    begin(with_presentation(), VK_PRESENT_MODE_FIFO_KHR);
    const SkippedWaits skipped; // of a build without commit-timing-v1
    const uint64_t desired = now_on(CLOCK_MONOTONIC) + ns(500ms);
    ASSERT_EQ(present(1, desired), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(desired) + 3ms, .refresh = 10ms}));
    const auto results = past();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].actualPresentTime, desired + ns(3ms));
    EXPECT_LT(results[0].earliestPresentTime, desired - ns(300ms));
    EXPECT_EQ((results[0].actualPresentTime - results[0].earliestPresentTime) % ns(10ms), 0u);
}

// --- compositors that cannot be told a time ---

class WithoutCommitTiming : public DisplayTiming {
protected:
    static Script script() {
        Script script = with_presentation();
        script.globals.commit_timing = 0;
        return script;
    }
};

TEST_F(WithoutCommitTiming, APresentWaitsForTheLastRefreshBeforeItsTime) {
    const SkippedWaits skipped; // first: it sets the clock
    begin(script(), VK_PRESENT_MODE_FIFO_KHR);
    ASSERT_EQ(present(1), VK_SUCCESS);
    const uint64_t now = now_on(CLOCK_MONOTONIC);
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(now), .refresh = 10ms}));
    ASSERT_EQ(past().size(), 1u);
    const int64_t before = skipped_ns;
    ASSERT_EQ(present(2, now + ns(505ms)), VK_SUCCESS);
    const uint64_t after = now_on(CLOCK_MONOTONIC);
    EXPECT_GE(after, now + ns(500ms));
    EXPECT_GT(skipped_ns, before);
    EXPECT_LE(uint64_t(skipped_ns - before), ns(500ms));
}

TEST_F(WithoutCommitTiming, APresentWaitsForOneSecondAtMost) {
    begin(script(), VK_PRESENT_MODE_FIFO_KHR);
    const SkippedWaits skipped;
    ASSERT_EQ(present(1, now_on(CLOCK_MONOTONIC) + ns(10s)), VK_SUCCESS);
    EXPECT_LE(uint64_t(skipped_ns), ns(1s));
    EXPECT_GT(uint64_t(skipped_ns), ns(500ms));
    EXPECT_EQ(compositor_->commits(), 1u);
}

// A call that presents to two windows, with a desired time for each; 0: none.
class TwoWindows : public WithoutCommitTiming {
protected:
    void begin(const Script& script) {
        DisplayTiming::begin(script, VK_PRESENT_MODE_FIFO_KHR);
        window_.emplace(*client_);
        other_ = Swapchain(client_->device, window_->surface, {.mode = VK_PRESENT_MODE_FIFO_KHR});
        ASSERT_EQ(other_.result, VK_SUCCESS);
    }
    void TearDown() override {
        other_ = {};
        window_.reset();
        DisplayTiming::TearDown();
    }
    VkResult present_both(std::array<uint64_t, 2> desired) {
        Presented both[] = {{swapchain_, client_->acquire(swapchain_).index},
                            {other_, client_->acquire(other_).index}};
        const VkPresentTimeGOOGLE times[] = {{1, desired[0]}, {2, desired[1]}};
        const VkPresentTimesInfoGOOGLE info{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE,
                                            .pNext = nullptr,
                                            .swapchainCount = 2,
                                            .pTimes = times};
        const VkResult result = present_together(client_->device.queue, both, {}, &info);
        compositor_->settle();
        return result;
    }
    // Windows are numbered in the order of their creation.
    size_t commits_of(uint32_t window) {
        return compositor_->on_thread(
            [=](Scene& scene) { return scene.commits_of(SurfaceId(window)); });
    }

    std::optional<SecondWindow> window_;
    Swapchain other_;
};

TEST_F(TwoWindows, ADesiredTimeDoesNotDelayTheOtherWindow) {
    const SkippedWaits skipped;
    begin(script());
    std::vector<std::array<size_t, 2>> commits; // of both, at the begin of each wait
    before_skipping = [&] { commits.push_back({commits_of(0), commits_of(1)}); };
    ASSERT_EQ(present_both({now_on(CLOCK_MONOTONIC) + ns(900ms), 0}), VK_SUCCESS);
    EXPECT_EQ(commits, (std::vector<std::array<size_t, 2>>{{0, 1}}));
    const uint64_t now = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(present_both({now + ns(900ms), now + ns(500ms)}), VK_SUCCESS);
    ASSERT_EQ(commits.size(), 3u);
    EXPECT_EQ(commits[1], (std::array<size_t, 2>{1, 1}));
    EXPECT_EQ(commits[2], (std::array<size_t, 2>{1, 2})) << "the one with the earlier time";
}

TEST_F(TwoWindows, TheLongestWaitsOfACallDoNotAddUp) {
    const SkippedWaits skipped;
    begin(script());
    const uint64_t far = now_on(CLOCK_MONOTONIC) + ns(10s);
    ASSERT_EQ(present_both({far, far}), VK_SUCCESS);
    EXPECT_GT(uint64_t(skipped_ns), ns(500ms));
    EXPECT_LE(uint64_t(skipped_ns), ns(1s));
}

TEST_F(TwoWindows, AHiddenWindowDoesNotWaitForItsTimeBesideAVisibleOne) {
    const SkippedWaits skipped;
    begin(script());
    compositor_->on_thread([](Scene& scene) { scene.set_hidden(SurfaceId(0), true); });
    for (int call = 0; call < 2; ++call) // the second one waits for the hidden window in vain
        ASSERT_EQ(present_both({0, 0}), VK_SUCCESS);
    const int64_t before = skipped_ns;
    ASSERT_EQ(present_both({now_on(CLOCK_MONOTONIC) + ns(500ms), 0}), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, before);
}

#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
// The next image of a window waits until the image before it is shown.
TEST_F(TwoWindows, AnImageInTheQueueDoesNotDelayTheOtherWindow) {
    const SkippedWaits skipped;
    Script script = with_presentation();
    script.refresh = Refresh::manual; // no image is shown
    begin(script);
    ASSERT_EQ(present_both({now_on(CLOCK_MONOTONIC) + ns(5s), 0}), VK_SUCCESS);
    std::vector<std::array<size_t, 2>> commits; // of both, at the begin of each wait
    before_skipping = [&] { commits.push_back({commits_of(0), commits_of(1)}); };
    ASSERT_EQ(present_both({0, 0}), VK_SUCCESS);
    EXPECT_EQ(commits, (std::vector<std::array<size_t, 2>>{{1, 1}, {1, 2}}));
}
#endif

TEST_F(WithoutCommitTiming, APresentDoesNotWaitForATimeOfAnotherClock) {
    begin(script(), VK_PRESENT_MODE_FIFO_KHR);
    const SkippedWaits skipped;
    ASSERT_EQ(present(1, now_on(CLOCK_REALTIME)), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, 0);
}

TEST_F(WithoutCommitTiming, APresentOfMailboxDoesNotWait) {
    begin(script(), VK_PRESENT_MODE_MAILBOX_KHR);
    const SkippedWaits skipped;
    const uint64_t desired = now_on(CLOCK_MONOTONIC) + ns(500ms);
    ASSERT_EQ(present(1, desired), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, 0);
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(desired), .refresh = 10ms}));
    const auto results = past();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].desiredPresentTime, desired);
    EXPECT_EQ(results[0].earliestPresentTime, desired) << "nothing has delayed it";
}

TEST_F(WithoutCommitTiming, APresentWhoseTimeHasPassedDoesNotWait) {
    begin(script(), VK_PRESENT_MODE_FIFO_KHR);
    const SkippedWaits skipped;
    ASSERT_EQ(present(1, now_on(CLOCK_MONOTONIC)), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, 0);
}

} // namespace
} // namespace fencebridge::test
