// SPDX-License-Identifier: MIT
#include "skipped_waits.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace fencebridge::test {

// Constant-initialised, because clock_gettime() is called before any constructor runs.
constinit std::atomic<bool> skips = false;
constinit std::atomic<int64_t> skipped_ns = 0;
constinit std::atomic<size_t> waits = 0;
constinit std::atomic<int64_t> interruption_ns = 0;
constinit std::atomic<int64_t> interrupted_ns = 0; // all interruptions so far
constinit std::atomic<int> endless_wait_error = 0;
std::function<void()> before_skipping;
std::function<void()> before_endless_wait;

namespace {

int wait_or_skip(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    const auto poll_for = [&](const timespec* most) {
        timespec left = most ? *most : timespec{};
        return int(syscall(SYS_ppoll, fds, count, most ? &left : nullptr, mask, 8));
    };
    const timespec none{};
    const int ready = poll_for(&none);
    if (ready != 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return ready;
    ++waits;
    const int error = timeout ? 0 : endless_wait_error.load();
    if (skips && !timeout && before_endless_wait)
        before_endless_wait();
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (!skips || !timeout)
        return poll_for(timeout);
    if (before_skipping)
        before_skipping();
    skipped_ns +=
        std::chrono::nanoseconds(std::chrono::seconds(timeout->tv_sec)).count() + timeout->tv_nsec;
    return 0;
}

} // namespace

SkippedWaits::SkippedWaits() {
    waits = 0;
    // Time that an earlier test skipped would make the compositor's timers expire too late:
    // libwayland sets them by this process's clock, and the kernel does not know that time.
    skipped_ns = 0;
    interrupted_ns = 0;
    skips = true;
}

SkippedWaits::~SkippedWaits() {
    skips = false;
    before_skipping = nullptr;
    before_endless_wait = nullptr;
    endless_wait_error = 0;
}

} // namespace fencebridge::test

extern "C" [[gnu::visibility("default")]] int ppoll(pollfd* fds, nfds_t count,
                                                    const timespec* timeout, const sigset_t* mask) {
    return fencebridge::test::wait_or_skip(fds, count, timeout, mask);
}

extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock,
                                                            timespec* now) noexcept {
    using namespace fencebridge::test;
    const int result = int(syscall(SYS_clock_gettime, clock, now));
    if (result != 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_RAW))
        return result;
    const int64_t interruption = clock == CLOCK_MONOTONIC_RAW ? interruption_ns.exchange(0) : 0;
    const auto interrupt = [&] {
        skipped_ns += interruption;
        interrupted_ns += interruption;
    };
    interrupt();
    const int64_t ns = now->tv_nsec + (clock == CLOCK_MONOTONIC ? skipped_ns : interrupted_ns);
    interrupt();
    now->tv_sec += ns / 1'000'000'000;
    now->tv_nsec = long(ns % 1'000'000'000);
    return 0;
}
