// SPDX-License-Identifier: MIT
// ioctl::signal_time() on an ioctl() that this file defines: real sync_files need sw_sync.
#include "ioctl/sync_file.hpp"

#include <gtest/gtest.h>
#include <linux/sync_file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <iterator>
#include <vector>

namespace fencebridge::ioctl {
namespace {

/// What the kernel knows of a sync_file.
struct FakeSyncFile {
    int status = 0; ///< 0: pending; 1: signalled; negative: an error
    std::vector<uint64_t> times;
    int error = 0; ///< of every call
    /// Of SYNC_IOC_FILE_INFO.
    int answer(sync_file_info& info) const {
        if (error != 0)
            return error;
        if (info.flags != 0 || info.pad != 0)
            return EINVAL;
        const uint32_t room = info.num_fences;
        info.num_fences = static_cast<uint32_t>(times.size());
        info.status = status;
        if (room == 0)
            return 0;
        if (room < times.size())
            return EINVAL;
        auto* fences = reinterpret_cast<sync_fence_info*>(info.sync_fence_info);
        for (size_t i = 0; i < times.size(); ++i) {
            fences[i].timestamp_ns = times[i];
            fences[i].status = times[i] != 0;
            std::fill(std::begin(fences[i].driver_name), std::end(fences[i].driver_name), 'd');
            std::strcpy(fences[i].obj_name, "timeline");
        }
        return 0;
    }
};

const FakeSyncFile* current = nullptr;

std::expected<std::optional<std::chrono::steady_clock::time_point>, Errno>
time_of(const FakeSyncFile& file) {
    current = &file;
    const auto time = signal_time(Fd());
    current = nullptr;
    return time;
}

std::chrono::steady_clock::time_point at(int64_t nanoseconds) {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(nanoseconds));
}

TEST(SignalTime, APendingFenceHasNone) {
    const auto time = time_of({.status = 0, .times = {0}});
    ASSERT_TRUE(time);
    EXPECT_EQ(*time, std::nullopt);
    EXPECT_EQ(*time_of({.status = 0, .times = {5, 0}}), std::nullopt);
}

TEST(SignalTime, IsTheLatestOfAllFences) {
    EXPECT_EQ(*time_of({.status = 1, .times = {7}}), at(7));
    EXPECT_EQ(*time_of({.status = 1, .times = {1'000'000'007, 3'000'000'009, 5}}),
              at(3'000'000'009));
}

TEST(SignalTime, AFenceWithAnErrorHasSignalled) {
    EXPECT_EQ(*time_of({.status = -ETIME, .times = {9}}), at(9));
}

TEST(SignalTime, IsTheClocksStartIfTheKernelHasRecordedNone) {
    EXPECT_EQ(*time_of({.status = 1, .times = {0}}), at(0));
}

TEST(SignalTime, AFailureIsNoTime) {
    const auto time = time_of({.error = ENOTTY});
    ASSERT_FALSE(time);
    EXPECT_EQ(time.error(), Errno{ENOTTY});
}

std::vector<FenceInfo> fences_of(const FakeSyncFile& file, size_t room) {
    std::vector<FenceInfo> fences(room);
    current = &file;
    fences.resize(query_fences(Fd(), fences));
    current = nullptr;
    return fences;
}

TEST(QueryFences, EachHasItsNamesAndItsTime) {
    const auto fences = fences_of({.status = 0, .times = {5, 0}}, 4);
    ASSERT_EQ(fences.size(), 2u);
    EXPECT_EQ(fences[0].signalled, at(5));
    EXPECT_EQ(fences[1].signalled, std::nullopt);
    EXPECT_STREQ(fences[0].timeline.data(), "timeline");
    EXPECT_EQ(std::strlen(fences[0].driver.data()), 31u); // the kernel's has no end
}

TEST(QueryFences, ThereMayBeMoreThanAreWanted) {
    EXPECT_EQ(fences_of({.status = 1, .times = {5, 6, 7}}, 2).size(), 2u);
    EXPECT_EQ(fences_of({.status = 1, .times = std::vector<uint64_t>(65, 1)}, 2).size(), 0u);
}

TEST(QueryFences, AFailureFindsNone) {
    EXPECT_EQ(fences_of({.status = 1, .times = {5}, .error = ENOTTY}, 2).size(), 0u);
}

FenceInfo fence_of(const char* driver, const char* timeline, bool has_signalled) {
    FenceInfo fence = {};
    std::strcpy(fence.driver.data(), driver);
    std::strcpy(fence.timeline.data(), timeline);
    if (has_signalled)
        fence.signalled = at(5);
    return fence;
}

// Another fence may have the place of one that has signalled.
TEST(QueryFences, AFenceIsKnownByItsNames) {
    const FenceInfo before = fence_of("driver", "timeline", false);
    EXPECT_TRUE(may_be_same(before, before));
    EXPECT_TRUE(may_be_same(before, fence_of("driver", "timeline", true)));
    EXPECT_TRUE(may_be_same(before, fence_of("detached-driver", "signaled-timeline", true)));
    EXPECT_FALSE(may_be_same(before, fence_of("detached-driver", "signaled-timeline", false)));
    EXPECT_FALSE(may_be_same(before, fence_of("driver", "other", true)));
    EXPECT_FALSE(may_be_same(before, fence_of("other", "timeline", false)));
}

} // namespace
} // namespace fencebridge::ioctl

// NOLINTNEXTLINE(cert-dcl50-cpp): replaces a C function with variable arguments
extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
    using fencebridge::ioctl::current;
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    if (current == nullptr || request != SYNC_IOC_FILE_INFO)
        return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
    const int error = current->answer(*static_cast<sync_file_info*>(argument));
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}
