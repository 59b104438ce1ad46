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
        pacer.requested_none();
    return wants;
}

// --- with callbacks alone ---

const Pace by_callback = *pace_of(Pacing::frame_callback, 3);

TEST(FramePacer, TheFirstFrameDoesNotWait) {
    EXPECT_EQ(FramePacer().callback_deadline(by_callback, start), std::nullopt);
    EXPECT_EQ(FramePacer().estimate_wait(by_callback, start), CommitWait::none);
}

TEST(FramePacer, TheNextFrameWaitsForTheCallback) {
    FramePacer pacer;
    for (auto now = start; now < start + 50ms; now += 5ms) {
        EXPECT_TRUE(commit(pacer, by_callback, now));
        EXPECT_EQ(pacer.callback_deadline(by_callback, now + 4ms), now + hidden_after);
        EXPECT_EQ(pacer.estimate_wait(by_callback, now + 4ms), CommitWait::one_refresh);
        pacer.callback_came();
        EXPECT_EQ(pacer.callback_deadline(by_callback, now + 4ms), std::nullopt);
    }
}

TEST(FramePacer, EveryFrameOfAHiddenWindowWaitsOnce) {
    FramePacer pacer;
    commit(pacer, by_callback, start);
    const auto late = start + hidden_after;
    EXPECT_NE(pacer.callback_deadline(by_callback, late - 1ns), std::nullopt);
    EXPECT_EQ(pacer.callback_deadline(by_callback, late), std::nullopt);
    EXPECT_TRUE(commit(pacer, by_callback, late));
    EXPECT_EQ(pacer.callback_deadline(by_callback, late), late + hidden_after);
    EXPECT_EQ(pacer.estimate_wait(by_callback, late), CommitWait::hidden);
    pacer.callback_came();
    commit(pacer, by_callback, late);
    EXPECT_EQ(pacer.estimate_wait(by_callback, late), CommitWait::one_refresh);
}

// A callback that could not be allocated is not waited for.
TEST(FramePacer, ACommitWithoutACallbackIsNotWaitedFor) {
    FramePacer pacer;
    pacer.requested_none();
    EXPECT_EQ(pacer.callback_deadline(by_callback, start), std::nullopt);
    EXPECT_TRUE(pacer.wants_callback(by_callback, start));
}

// --- beside barriers ---

constexpr size_t images = 3;
const Pace beside_barriers = *pace_of(Pacing::barrier, images);

TEST(FramePacerBesideBarriers, AsManyCommitsAsThereAreImagesMayFollowTheRequestOfACallback) {
    FramePacer pacer;
    EXPECT_TRUE(commit(pacer, beside_barriers, start));
    for (size_t i = 0; i < images; ++i) {
        EXPECT_EQ(pacer.callback_deadline(beside_barriers, start), std::nullopt);
        EXPECT_FALSE(commit(pacer, beside_barriers, start));
    }
    EXPECT_EQ(pacer.callback_deadline(beside_barriers, start),
              start + beside_barriers.callback_timeout);
    pacer.callback_came();
    EXPECT_EQ(pacer.callback_deadline(beside_barriers, start), std::nullopt);
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
            ASSERT_EQ(pacer.callback_deadline(pace, now), std::nullopt) << "commit " << committed;
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
            pacer.callback_came();
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
            pacer.callback_came();
        }
    }
    EXPECT_EQ(requested, 10u);
}

// One frame is committed in each callback_timeout, not as many as there are images.
TEST(FramePacerBesideBarriers, EveryFrameOfAHiddenWindowWaitsOnce) {
    FramePacer pacer;
    auto now = start;
    for (size_t i = 0; i <= images; ++i)
        commit(pacer, beside_barriers, now);
    for (int second = 0; second < 5; ++second) {
        const auto until = pacer.callback_deadline(beside_barriers, now);
        ASSERT_TRUE(until);
        EXPECT_EQ(*until, start + (second + 1) * beside_barriers.callback_timeout);
        now = *until;
        EXPECT_TRUE(commit(pacer, beside_barriers, now));
    }
    EXPECT_EQ(pacer.estimate_wait(beside_barriers, now), CommitWait::hidden);
    // The window is visible again.
    pacer.callback_came();
    for (int i = 0; i < 15; ++i) {
        EXPECT_EQ(pacer.callback_deadline(beside_barriers, now), std::nullopt);
        commit(pacer, beside_barriers, now);
        pacer.callback_came();
    }
}

} // namespace
} // namespace fencebridge::core
