// SPDX-License-Identifier: MIT
#include "core/frame_pacing.hpp"

#include <gtest/gtest.h>

namespace fencebridge::core {
namespace {

using namespace std::chrono_literals;

const FramePacer::TimePoint start{10s};

TEST(Pacing, OfEachPresentMode) {
    EXPECT_EQ(choose_pacing(VK_PRESENT_MODE_MAILBOX_KHR, true), Pacing::none);
    EXPECT_EQ(choose_pacing(VK_PRESENT_MODE_MAILBOX_KHR, false), Pacing::none);
    EXPECT_EQ(choose_pacing(VK_PRESENT_MODE_FIFO_KHR, true), Pacing::barrier);
    EXPECT_EQ(choose_pacing(VK_PRESENT_MODE_FIFO_KHR, false), Pacing::frame_callback);
}

TEST(FramePacer, TheFirstFrameDoesNotWait) {
    EXPECT_EQ(FramePacer().wait_until(start), std::nullopt);
}

TEST(FramePacer, TheNextFrameWaitsForTheCallback) {
    FramePacer pacer;
    pacer.committed(start);
    EXPECT_EQ(pacer.wait_until(start + 5ms), start + FramePacer::hidden_after);
    pacer.shown();
    EXPECT_EQ(pacer.wait_until(start + 5ms), std::nullopt);
}

TEST(FramePacer, AHiddenWindowIsWaitedForOnceAFrame) {
    FramePacer pacer;
    pacer.committed(start);
    const auto late = start + FramePacer::hidden_after;
    EXPECT_NE(pacer.wait_until(late - 1ns), std::nullopt);
    EXPECT_EQ(pacer.wait_until(late), std::nullopt);
    pacer.committed(late);
    EXPECT_EQ(pacer.wait_until(late), late + FramePacer::hidden_after);
}

} // namespace
} // namespace fencebridge::core
