// SPDX-License-Identifier: MIT
#include "ioctl/dma_buf.hpp"

#include <gtest/gtest.h>

namespace fencebridge::ioctl {
namespace {

TEST(KernelRelease, AReleaseIsComparedByItsNumbers) {
    EXPECT_TRUE(is_at_least("5.16.0", 5, 16));
    EXPECT_TRUE(is_at_least("5.100", 5, 16));
    EXPECT_TRUE(is_at_least("6.1.0-21-amd64", 5, 16));
    EXPECT_TRUE(is_at_least("10.0", 5, 16));
    EXPECT_FALSE(is_at_least("5.15.104-android13-8", 5, 16));
    EXPECT_FALSE(is_at_least("5.2", 5, 16));
    EXPECT_FALSE(is_at_least("4.19.0", 5, 16));
}

TEST(KernelRelease, AnUnreadableReleaseCountsAsEarlier) {
    EXPECT_FALSE(is_at_least("", 5, 16));
    EXPECT_FALSE(is_at_least("vendor", 5, 16));
    EXPECT_FALSE(is_at_least("5", 5, 16));
}

} // namespace
} // namespace fencebridge::ioctl
