// SPDX-License-Identifier: MIT
#include "core/frame_pacing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;

const FramePacer::TimePoint start{10s};

TEST(ChooseTurn, AHiddenWindowDoesNotWaitBesideAVisibleOne) {
    for (const CommitWait wait : {CommitWait::none, CommitWait::one_refresh}) {
        EXPECT_EQ(choose_turn(wait, true), Turn::wait);
        EXPECT_EQ(choose_turn(wait, false), Turn::wait);
    }
    EXPECT_EQ(choose_turn(CommitWait::hidden, false), Turn::wait);
    EXPECT_EQ(choose_turn(CommitWait::hidden, true), Turn::now);
}

TEST(Pacing, WithoutPacingThereIsNoPace) { EXPECT_FALSE(pace_of(Pacing::none, 4)); }

// Commits as a presenter does: requests a callback if the pacer wants one.
bool commit(FramePacer& pacer, const Pace& pace, FramePacer::TimePoint now) {
    const bool wants = pacer.wants_callback(pace, now);
    if (wants)
        pacer.requested_callback(now);
    else
        pacer.requested_none(now);
    return wants;
}

// Waits as a presenter does, in vain: no callback comes before the turn.
FramePacer::TimePoint wait_in_vain(FramePacer& pacer, const Pace& pace, FramePacer::TimePoint now) {
    const auto turn = pacer.turn(pace);
    if (!turn)
        return now;
    pacer.waited_in_vain();
    return std::max(now, *turn);
}

constexpr auto at(uint32_t shown) { return FramePacer::Milliseconds(shown); }

// A new swapchain follows another one, of which frames may still be queued.
TEST(FramePacer, TheSecondCommitOfALaterSwapchainWaitsForTheFirstToBeShown) {
    const Pace pace = *pace_of(Pacing::barrier, 3);
    FramePacer pacer;
    pacer.begin_swapchain();
    EXPECT_TRUE(commit(pacer, pace, start));
    EXPECT_EQ(pacer.turn(pace), std::nullopt) << "nothing was queued before";
    pacer.callback_came(at(0));
    commit(pacer, pace, start);

    pacer.begin_swapchain();
    EXPECT_EQ(pacer.turn(pace), std::nullopt);
    EXPECT_TRUE(commit(pacer, pace, start));
    EXPECT_TRUE(pacer.turn(pace));
    pacer.callback_came(at(16));
    EXPECT_EQ(pacer.turn(pace), std::nullopt);
    EXPECT_FALSE(commit(pacer, pace, start));
}

TEST(FramePacer, TheFirstCommitOfALaterSwapchainWaitsForAPendingCallback) {
    const Pace pace = *pace_of(Pacing::barrier, 3);
    FramePacer pacer;
    commit(pacer, pace, start);
    pacer.begin_swapchain();
    EXPECT_TRUE(pacer.turn(pace));
    pacer.callback_came(at(0));
    EXPECT_EQ(pacer.turn(pace), std::nullopt);
    EXPECT_TRUE(commit(pacer, pace, start));
    EXPECT_TRUE(pacer.turn(pace));
}

// --- with callbacks alone ---

const Pace by_callback = *pace_of(Pacing::frame_callback, 3);

TEST(FramePacer, TheFirstFrameDoesNotWait) {
    EXPECT_EQ(FramePacer().turn(by_callback), std::nullopt);
    EXPECT_EQ(FramePacer().estimate_wait(by_callback, start).reason, CommitWait::none);
}

TEST(FramePacer, TheNextFrameWaitsForTheCallback) {
    FramePacer pacer;
    for (auto now = start; now < start + 50ms; now += 5ms) {
        EXPECT_TRUE(commit(pacer, by_callback, now));
        EXPECT_EQ(pacer.turn(by_callback), now + hidden_after);
        EXPECT_EQ(pacer.estimate_wait(by_callback, now).reason, CommitWait::one_refresh);
        pacer.callback_came(at(0));
        EXPECT_EQ(pacer.turn(by_callback), std::nullopt);
    }
}

TEST(FramePacer, TheCallbackOfACommitThatIsHeldBackIsExpectedFromItsTimeOn) {
    FramePacer pacer;
    pacer.requested_callback(start, start + 5s);
    EXPECT_EQ(pacer.turn(by_callback), start + 5s + hidden_after);
    pacer.callback_came(at(0));
    pacer.requested_callback(start + 1s);
    EXPECT_EQ(pacer.turn(by_callback), start + 5s + hidden_after) << "shown after the first";
    pacer.callback_came(at(0));
    pacer.requested_callback(start + 6s);
    EXPECT_EQ(pacer.turn(by_callback), start + 6s + hidden_after);
}

TEST(FramePacer, ACommitAfterOneThatIsHeldBackIsExpectedToWaitUntilItsTime) {
    FramePacer pacer;
    pacer.requested_callback(start, start + 5s);
    const ExpectedWait until{CommitWait::until_time, start + 5s};
    EXPECT_EQ(pacer.estimate_wait(by_callback, start), until);
    EXPECT_EQ(pacer.estimate_wait(by_callback, start + 5s - usual_refresh).reason,
              CommitWait::one_refresh);
    EXPECT_GT(until, ExpectedWait{CommitWait::hidden});
    EXPECT_LT(until, (ExpectedWait{CommitWait::until_time, start + 6s}));
    EXPECT_EQ(choose_turn(CommitWait::until_time, true), Turn::wait);
}

TEST(FramePacer, ACallbackIsExpectedAMinuteAfterItsRequestAtTheLatest) {
    FramePacer pacer;
    pacer.requested_callback(start, FramePacer::TimePoint::max());
    EXPECT_EQ(pacer.turn(by_callback), start + farthest_target + hidden_after);
    pacer.waited_in_vain();
    EXPECT_EQ(pacer.turn(by_callback), start + usual_refresh);
}

// A callback that could not be allocated is not waited for.
TEST(FramePacer, ACommitWithoutACallbackIsNotWaitedFor) {
    FramePacer pacer;
    pacer.requested_none(start);
    EXPECT_EQ(pacer.turn(by_callback), std::nullopt);
    EXPECT_TRUE(pacer.wants_callback(by_callback, start));
}

// An application that presents seldom: the callback may have come long ago, and its event has not
// been read.
TEST(FramePacer, AnOverdueCallbackIsNotGivenUpBeforeAWait) {
    FramePacer pacer;
    commit(pacer, by_callback, start);
    const auto late = start + 10 * hidden_after;
    EXPECT_EQ(pacer.turn(by_callback), start + hidden_after);
    EXPECT_FALSE(pacer.wants_callback(by_callback, late));
    EXPECT_FALSE(pacer.is_unseen());
    EXPECT_EQ(pacer.estimate_wait(by_callback, late).reason, CommitWait::one_refresh);
}

// --- beside barriers ---

constexpr size_t images = 3;
const Pace beside_barriers = *pace_of(Pacing::barrier, images);

TEST(FramePacerBesideBarriers, AsManyCommitsAsThereAreImagesMayFollowTheRequestOfACallback) {
    FramePacer pacer;
    EXPECT_TRUE(commit(pacer, beside_barriers, start));
    for (size_t i = 0; i < images; ++i) {
        EXPECT_EQ(pacer.turn(beside_barriers), std::nullopt);
        EXPECT_FALSE(commit(pacer, beside_barriers, start));
    }
    EXPECT_EQ(pacer.turn(beside_barriers), start + beside_barriers.callback_timeout);
    pacer.callback_came(at(0));
    EXPECT_EQ(pacer.turn(beside_barriers), std::nullopt);
}

// Simulates a compositor with fifo-v1. It shows one frame in each refresh, and sends callbacks when
// it shows the frame. It releases an image when the next one replaces it, or at once if it copies.
// The client commits whenever it has an image.
void expect_no_wait(size_t image_count, bool copies) {
    const Pace pace = *pace_of(Pacing::barrier, image_count);
    FramePacer pacer;
    size_t committed = 0;
    size_t applied = 0; // of those committed, in order
    size_t callback_of = 0;
    bool callback_pending = false;
    auto now = start;
    const auto released = [&] { return copies || applied == 0 ? applied : applied - 1; };
    for (int refresh = 0; refresh < 200; ++refresh, now += 16ms) {
        while (committed - released() < image_count) {
            ASSERT_EQ(pacer.turn(pace), std::nullopt) << "commit " << committed;
            if (commit(pacer, pace, now)) {
                callback_of = committed;
                callback_pending = true;
            }
            ++committed;
            if (applied == 0)
                applied = 1; // no barrier delays the first frame
        }
        if (callback_pending && callback_of < applied) {
            callback_pending = false;
            pacer.callback_came(at(0));
        }
        applied = std::min(applied + 1, committed);
    }
    EXPECT_GT(committed, 190u);
}

TEST(FramePacerBesideBarriers, AVisibleWindowNeverWaits) {
    for (size_t count : {2, 3, 4, 8, 16, 17, 64}) {
        expect_no_wait(count, false);
        expect_no_wait(count, true);
    }
}

TEST(FramePacerBesideBarriers, OneCommitIn16RequestsACallback) {
    FramePacer pacer;
    size_t requested = 0;
    for (int i = 0; i < 160; ++i) {
        if (commit(pacer, beside_barriers, start)) {
            ++requested;
            pacer.callback_came(at(0));
        }
    }
    EXPECT_EQ(requested, 10u);
}

// --- unseen ---

class Unseen : public testing::TestWithParam<Pacing> {
protected:
    const Pace pace = *pace_of(GetParam(), images);
    // Commits that do not wait: the one that requests the callback, and those that may follow it.
    const uint32_t at_once = 1 + pace.ahead;
    FramePacer pacer;
    FramePacer::TimePoint now = start;

    void become_unseen() {
        for (uint32_t i = 0; i < at_once; ++i)
            commit(pacer, pace, now);
        now = wait_in_vain(pacer, pace, now);
        commit(pacer, pace, now);
    }
};

TEST_P(Unseen, TheFirstWaitEndsAfterTheTimeoutAndEachFurtherOneAfterARefresh) {
    become_unseen();
    EXPECT_EQ(now, start + pace.callback_timeout);
    for (int frame = 1; frame < 100; ++frame) {
        now = wait_in_vain(pacer, pace, now);
        commit(pacer, pace, now);
        EXPECT_EQ(now, start + pace.callback_timeout + frame * usual_refresh);
        EXPECT_TRUE(pacer.is_unseen());
        EXPECT_EQ(pacer.estimate_wait(pace, start).reason, CommitWait::hidden);
    }
}

TEST_P(Unseen, ASlowApplicationDoesNotWaitLonger) {
    become_unseen();
    for (int frame = 0; frame < 10; ++frame) {
        now += 100ms;
        EXPECT_EQ(wait_in_vain(pacer, pace, now), now);
        commit(pacer, pace, now);
    }
    EXPECT_EQ(pacer.estimate_wait(pace, start).reason, CommitWait::hidden);
}

// The compositor keeps each request until the surface is shown.
TEST_P(Unseen, ACallbackIsRequestedAgainAfterTwiceTheTimeEachUpToAMinute) {
    become_unseen();
    auto last_request = now;
    uint32_t timeouts = 2;
    for (int frame = 0; frame < 20'000; ++frame) {
        now = wait_in_vain(pacer, pace, now);
        const bool is_due = now >= last_request + timeouts * pace.callback_timeout;
        EXPECT_EQ(commit(pacer, pace, now), is_due);
        if (is_due) {
            last_request = now;
            timeouts = std::min(2 * timeouts, 64u);
        }
    }
    EXPECT_EQ(timeouts, 64u);
    EXPECT_GT(last_request, now - 65 * pace.callback_timeout);
}

TEST_P(Unseen, AnyCallbackMakesTheSurfaceSeen) {
    become_unseen();
    for (int frame = 0; frame < 30; ++frame) {
        now = wait_in_vain(pacer, pace, now);
        commit(pacer, pace, now);
    }
    pacer.callback_came(at(0));
    EXPECT_FALSE(pacer.is_unseen());
    EXPECT_EQ(pacer.turn(pace), std::nullopt);
    EXPECT_EQ(pacer.estimate_wait(pace, start).reason, CommitWait::none);
    // As at first.
    EXPECT_TRUE(commit(pacer, pace, now));
    for (uint32_t i = 1; i < at_once; ++i) {
        EXPECT_EQ(pacer.turn(pace), std::nullopt);
        commit(pacer, pace, now);
    }
    EXPECT_EQ(pacer.turn(pace), now + pace.callback_timeout);
}

INSTANTIATE_TEST_SUITE_P(, Unseen, testing::Values(Pacing::frame_callback, Pacing::barrier),
                         [](const auto& tested) {
                             return tested.param == Pacing::barrier ? "BesideBarriers"
                                                                    : "WithCallbacksAlone";
                         });

// --- the length of a refresh ---

// Shows frames, one in each refresh, until a callback has come `callbacks` times; then hides the
// surface, and returns how long a frame waits.
std::chrono::nanoseconds wait_of_unseen_after(const Pace& pace, std::chrono::milliseconds refresh,
                                              int callbacks) {
    FramePacer pacer;
    uint32_t shown = UINT32_MAX - 20; // the compositor's clock wraps around
    while (callbacks > 0) {
        shown += static_cast<uint32_t>(refresh.count());
        if (commit(pacer, pace, start)) {
            pacer.callback_came(at(shown));
            --callbacks;
        }
    }
    for (int i = 0; i < 30; ++i)
        commit(pacer, pace, wait_in_vain(pacer, pace, start));
    commit(pacer, pace, start);
    return *pacer.turn(pace) - start;
}

TEST(MeasuredRefresh, IsTheTimeForOneFrameBetweenTwoCallbacks) {
    for (const Pace& pace : {by_callback, beside_barriers}) {
        EXPECT_EQ(wait_of_unseen_after(pace, 7ms, 1), usual_refresh);
        EXPECT_EQ(wait_of_unseen_after(pace, 7ms, 2), 7ms);
        EXPECT_EQ(wait_of_unseen_after(pace, 33ms, 4), 33ms);
        EXPECT_EQ(wait_of_unseen_after(pace, 1ms, 4), fastest_refresh);
        EXPECT_EQ(wait_of_unseen_after(pace, 500ms, 4), slowest_refresh);
    }
}

TEST(MeasuredRefresh, IsTheShortestOfAll) {
    FramePacer pacer;
    for (const uint32_t shown : {100u, 130u, 138u, 238u}) {
        commit(pacer, by_callback, start);
        pacer.callback_came(at(shown));
    }
    commit(pacer, by_callback, start);
    pacer.waited_in_vain();
    EXPECT_EQ(pacer.turn(by_callback), start + 8ms);
}

// Frames of an unseen surface are not shown one in each refresh.
TEST(MeasuredRefresh, DoesNotCountFramesThatWereNotSeen) {
    FramePacer pacer;
    auto now = start;
    commit(pacer, beside_barriers, now);
    pacer.callback_came(at(1000));
    for (int frame = 0; frame < 100; ++frame) {
        commit(pacer, beside_barriers, now);
        now = wait_in_vain(pacer, beside_barriers, now);
    }
    ASSERT_TRUE(pacer.is_unseen());
    pacer.callback_came(at(1100));
    commit(pacer, beside_barriers, now);
    pacer.callback_came(at(1116));
    for (int frame = 0; frame < 30; ++frame)
        commit(pacer, beside_barriers, now);
    pacer.waited_in_vain();
    EXPECT_EQ(pacer.turn(beside_barriers), now + usual_refresh);
}

TEST(TimedCommits, TheCallbackIsExpectedFromTheLatestTimeOn) {
    constexpr Pace alone = *pace_of(Pacing::frame_callback, 2);
    FramePacer pacer;
    const FramePacer::TimePoint now{1h};
    pacer.requested_callback(now, now + 5s);
    EXPECT_EQ(pacer.turn(alone), now + 5s + hidden_after);
    pacer.callback_came(FramePacer::Milliseconds(5000));
    pacer.requested_callback(now + 1s);
    EXPECT_EQ(pacer.turn(alone), now + 5s + hidden_after) << "it is shown after the one before";
    pacer.callback_came(FramePacer::Milliseconds(5010));
    pacer.requested_callback(now + 6s, now + 2s);
    EXPECT_EQ(pacer.turn(alone), now + 6s + hidden_after) << "past";
}

TEST(TimedCommits, ATimeWithoutACallbackDelaysTheNextOne) {
    constexpr Pace queued = *pace_of(Pacing::barrier, 1);
    FramePacer pacer;
    const FramePacer::TimePoint now{1h};
    pacer.requested_none(now, now + 5s);
    pacer.requested_callback(now);
    pacer.requested_none(now);
    EXPECT_EQ(pacer.turn(queued), now + 5s + queued.callback_timeout);
}

} // namespace
} // namespace fencebridge::core
