// SPDX-License-Identifier: MIT
#include "signal_times.hpp"

#include <linux/sync_file.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace fencebridge::test {

// Constant-initialised, because ioctl() is called before any constructor runs.
constinit std::atomic<uint64_t> signal_time = 0;
constinit std::atomic<int> signal_time_error = ENOTTY;
constinit std::atomic<size_t> signal_time_calls = 0;

namespace {

int answer(int fd, sync_file_info& info) {
    ++signal_time_calls;
    if (const int error = signal_time_error)
        return error;
    pollfd readable{fd, POLLIN, 0};
    const timespec none{};
    info.status = syscall(SYS_ppoll, &readable, 1, &none, nullptr, 8) == 1;
    if (info.num_fences != 0)
        reinterpret_cast<sync_fence_info*>(info.sync_fence_info)->timestamp_ns = signal_time;
    info.num_fences = 1;
    return 0;
}

} // namespace

SignalTimes::SignalTimes(uint64_t nanoseconds) {
    signal_time = nanoseconds;
    signal_time_error = 0;
    signal_time_calls = 0;
}

SignalTimes::~SignalTimes() { signal_time_error = ENOTTY; }

} // namespace fencebridge::test

extern "C" [[gnu::visibility("default")]] int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    if (request != SYNC_IOC_FILE_INFO)
        return int(syscall(SYS_ioctl, fd, request, argument));
    errno = fencebridge::test::answer(fd, *static_cast<sync_file_info*>(argument));
    return errno == 0 ? 0 : -1;
}
