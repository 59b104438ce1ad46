// SPDX-License-Identifier: MIT
#include "util/fd.hpp"

#include <gtest/gtest.h>

namespace fencebridge {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

int open_one() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(Fd, AMovedDescriptorIsClosedOnce) {
    const int raw = open_one();
    {
        Fd first(raw);
        Fd second = std::move(first);
        EXPECT_FALSE(first);
        EXPECT_EQ(second.get(), raw);
        EXPECT_TRUE(is_open(raw));
    }
    EXPECT_FALSE(is_open(raw));
}

TEST(Fd, AssignmentClosesTheFormerDescriptor) {
    const int raw = open_one();
    Fd fd(raw);
    fd = Fd(open_one());
    EXPECT_FALSE(is_open(raw) && fd.get() != raw);
    EXPECT_TRUE(fd);
}

TEST(Fd, AReleasedDescriptorIsNotClosed) {
    const int raw = open_one();
    { EXPECT_EQ(Fd(raw).release(), raw); }
    EXPECT_TRUE(is_open(raw));
    EXPECT_EQ(::close(raw), 0);
}

TEST(Fd, ADuplicateIsClosedOnExec) {
    const Fd fd(open_one());
    const Fd copy = fd.duplicate();
    ASSERT_TRUE(copy);
    EXPECT_NE(copy.get(), fd.get());
    EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_FALSE(Fd().duplicate());
}

} // namespace
} // namespace fencebridge
