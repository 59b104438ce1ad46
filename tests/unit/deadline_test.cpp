// SPDX-License-Identifier: MIT
#include "util/deadline.hpp"

#include <gtest/gtest.h>

namespace fencebridge {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, AnInfiniteTimeoutHasNoTime) {
    EXPECT_FALSE(Deadline::never().time());
    EXPECT_FALSE(Deadline::never().remaining());
    EXPECT_FALSE(Deadline::from_vulkan(UINT64_MAX).time());
}

TEST(Deadline, ATimeoutThatTheClockCannotExpressIsInfinite) {
    EXPECT_FALSE(Deadline::from_vulkan(UINT64_MAX - 1).time());
    EXPECT_FALSE(Deadline::from_vulkan(uint64_t{1} << 63).time());
}

TEST(Deadline, TheRemainingTimeIsNeverNegative) {
    const auto left = Deadline::at(Clock::now() - 5s).remaining();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->tv_sec, 0);
    EXPECT_EQ(left->tv_nsec, 0);
}

TEST(Deadline, TheRemainingTimeIsSplitIntoSecondsAndNanoseconds) {
    const auto left = Deadline::after(100s).remaining();
    ASSERT_TRUE(left);
    EXPECT_GE(left->tv_sec, 90);
    EXPECT_LE(left->tv_sec, 100);
    EXPECT_GE(left->tv_nsec, 0);
    EXPECT_LT(left->tv_nsec, 1'000'000'000);
}

// Its number of seconds needs more than 32 bits, of which time_t may have no more.
TEST(Deadline, TheRemainingTimeOfCenturiesIsLong) {
    const auto left = Deadline::after(200 * 365 * 24h).remaining();
    ASSERT_TRUE(left);
    EXPECT_GE(left->tv_sec, INT32_MAX);
    EXPECT_LT(left->tv_nsec, 1'000'000'000);
}

TEST(Deadline, AZeroTimeoutHasPassed) {
    const auto left = Deadline::from_vulkan(0).remaining();
    ASSERT_TRUE(left);
    EXPECT_EQ(left->tv_sec, 0);
    EXPECT_EQ(left->tv_nsec, 0);
}

} // namespace
} // namespace fencebridge
