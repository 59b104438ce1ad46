// SPDX-License-Identifier: MIT
#include "core/present_schedule.hpp"

#include <gtest/gtest.h>

#include "core/frame_pacing.hpp"

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto refresh = 10ms;

/// A swapchain's requests, with the time of the presentation clock.
struct Requests {
    PresentSchedule schedule;
    PresentationTime now{1h};
    uint64_t last = 0;
    PresentSchedule::Refresh known_refresh = refresh;

    std::optional<PresentationTime> queue(std::optional<PresentTarget> target = std::nullopt) {
        return schedule.queue(PresentSerial{++last}, target, now, known_refresh);
    }
    std::optional<PresentationTime> queue_at(PresentationTime time, bool nearest = false) {
        return queue(PresentTarget{PresentTarget::From::clock, time.time_since_epoch(), nearest});
    }
    std::optional<PresentationTime> queue_after(nanoseconds duration, bool nearest = false) {
        return queue(PresentTarget{PresentTarget::From::last_image, duration, nearest});
    }
    void show(uint64_t serial, PresentationTime at) { schedule.shown(PresentSerial{serial}, at); }
};

TEST(Target, MoreThanAMinuteAheadIsTooFar) {
    using From = PresentTarget::From;
    const PresentationTime now(1h);
    EXPECT_FALSE(is_too_far({From::clock, 1h + 1min}, now));
    EXPECT_TRUE(is_too_far({From::clock, 1h + 1min + 1ns}, now));
    EXPECT_FALSE(is_too_far({From::clock, 0ns}, now)) << "past";
    EXPECT_TRUE(is_too_far({From::clock, nanoseconds_of(UINT64_MAX)}, now));
    EXPECT_FALSE(is_too_far({From::last_image, 1min}, now));
    EXPECT_TRUE(is_too_far({From::last_image, 1min + 1ns}, now));
}

TEST(TimeToQueue, IsTheLastRefreshBeforeTheTarget) {
    const PresentationTime shown(1h);
    EXPECT_EQ(time_to_queue(shown + 35ms, shown, refresh), shown + 30ms);
    EXPECT_EQ(time_to_queue(shown + 40ms, shown, refresh), shown + 30ms) << "shown at 40 ms";
    EXPECT_EQ(time_to_queue(shown + 41ms, shown, refresh), shown + 40ms);
    EXPECT_EQ(time_to_queue(shown + 1ns, shown, refresh), shown);
}

TEST(TimeToQueue, IsOneRefreshBeforeTheTargetIfNoRefreshIsKnown) {
    const PresentationTime target(1h);
    EXPECT_EQ(time_to_queue(target, std::nullopt, refresh), target - refresh);
    EXPECT_EQ(time_to_queue(target, std::nullopt, std::nullopt), target - usual_refresh);
    EXPECT_EQ(time_to_queue(target, target + 5ms, refresh), target - refresh) << "past";
}

TEST(PresentSchedule, ARequestWithoutATargetIsShownAsSoonAsPossible) {
    Requests requests;
    EXPECT_EQ(requests.queue(), std::nullopt);
    EXPECT_EQ(requests.queue(), std::nullopt);
}

TEST(PresentSchedule, AnAbsoluteTargetIsTheTimeItself) {
    Requests requests;
    EXPECT_EQ(requests.queue_at(requests.now + 5ms), requests.now + 5ms);
    EXPECT_EQ(requests.queue_at(requests.now - 5ms), requests.now - 5ms) << "past";
}

TEST(PresentSchedule, TheNearestCycleStartsUpToHalfARefreshEarlier) {
    Requests requests;
    EXPECT_EQ(requests.queue_at(requests.now + 25ms, true), requests.now + 20ms);
    requests.known_refresh = std::nullopt;
    EXPECT_EQ(requests.queue_at(requests.now + 25ms, true), requests.now + 25ms);
    requests.known_refresh = refresh;
    EXPECT_EQ(requests.queue_at(PresentationTime(2ms), true), PresentationTime());
}

TEST(PresentSchedule, TheFirstImageHasNoneToBeRelativeTo) {
    Requests requests;
    EXPECT_EQ(requests.queue_after(50ms), std::nullopt);
}

TEST(PresentSchedule, ARelativeTargetStartsWhenTheImageBeforeWasShown) {
    Requests requests;
    requests.queue();
    requests.show(1, requests.now + 7ms);
    requests.now += 20ms;
    EXPECT_EQ(requests.queue_after(50ms), requests.now - 13ms + 50ms);
    requests.show(2, requests.now + 40ms);
    EXPECT_EQ(requests.queue_after(50ms, true), requests.now + 90ms - 5ms);
}

TEST(PresentSchedule, ARelativeTargetStartsWhenTheImageBeforeIsExpected) {
    Requests requests;
    requests.queue();
    EXPECT_EQ(requests.queue_after(50ms), requests.now + 50ms) << "1 was queued now";
    requests.now += 1ms;
    EXPECT_EQ(requests.queue_after(50ms), requests.now + 99ms) << "2 is expected at its target";
    requests.queue();
    EXPECT_EQ(requests.queue_after(50ms), requests.now + 99ms + 10ms + 50ms)
        << "4 is expected one refresh after 3";
}

TEST(PresentSchedule, ARelativeTargetStartsWhenThePresenterWillShowTheImageBefore) {
    Requests requests;
    requests.queue_at(requests.now + 25ms);
    requests.schedule.expect(PresentSerial{1}, requests.now + 30ms);
    EXPECT_EQ(requests.queue_after(35ms), requests.now + 65ms);
}

TEST(PresentSchedule, WithoutARefreshImagesAreExpectedTogether) {
    Requests requests;
    requests.known_refresh = std::nullopt;
    requests.queue();
    requests.queue();
    EXPECT_EQ(requests.queue_after(50ms), requests.now + 50ms);
}

TEST(PresentSchedule, AReportReplacesTheExpectations) {
    Requests requests;
    const auto start = requests.now;
    requests.queue();           // 1
    requests.queue_after(50ms); // 2
    requests.show(1, start + 30ms);
    EXPECT_EQ(requests.queue_after(50ms), start + 100ms) << "the target of 2 was sent: start + 50";
    requests.show(2, start + 80ms);
    EXPECT_EQ(requests.queue_after(50ms), start + 150ms) << "3 is expected at its target";
    requests.show(3, start + 130ms);
    requests.show(4, start + 180ms);
    EXPECT_EQ(requests.queue_after(50ms), start + 230ms);
}

TEST(PresentSchedule, ADiscardedImageIsNoneToBeRelativeTo) {
    Requests requests;
    requests.queue_at(requests.now + 500ms);
    requests.schedule.discarded(PresentSerial{1});
    EXPECT_EQ(requests.queue_after(50ms), std::nullopt);
    requests.show(2, requests.now + 10ms);
    requests.queue_at(requests.now + 500ms);
    requests.schedule.discarded(PresentSerial{3});
    EXPECT_EQ(requests.queue_after(50ms), requests.now + 60ms);
}

TEST(PresentSchedule, WhatIsNeverReportedIsForgotten) {
    Requests requests;
    for (size_t i = 0; i < 10 * PresentSchedule::most_queued; ++i)
        requests.queue();
    EXPECT_EQ(requests.queue_after(50ms),
              requests.now + PresentSchedule::most_queued * refresh + 50ms);
}

TEST(PresentSchedule, TimesThatAreTooLargeStayTheLargest) {
    Requests requests;
    requests.queue();
    EXPECT_EQ(requests.queue_after(nanoseconds_of(UINT64_MAX)), PresentationTime::max());
    EXPECT_EQ(requests.queue_at(PresentationTime(nanoseconds_of(UINT64_MAX))),
              PresentationTime::max());
    EXPECT_EQ(requests.queue_after(50ms), PresentationTime::max());
}

} // namespace
} // namespace fencebridge::core
