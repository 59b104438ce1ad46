// SPDX-License-Identifier: MIT
// An ioctl() that knows when fences have signalled. The fake driver's eventfds stand for
// sync_files, and have no SYNC_IOC_FILE_INFO. The layer finds this definition before that of the C
// library.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fencebridge::test {

extern constinit std::atomic<uint64_t> signal_time;  // of every fence that has signalled
extern constinit std::atomic<int> signal_time_error; // of SYNC_IOC_FILE_INFO; 0: it works
extern constinit std::atomic<size_t> signal_time_calls;

// The times are those of the kernel while it lives, and this ioctl() fails before and after.
class SignalTimes {
public:
    explicit SignalTimes(uint64_t nanoseconds = 0);
    ~SignalTimes();
    SignalTimes(const SignalTimes&) = delete;
    SignalTimes& operator=(const SignalTimes&) = delete;
};

} // namespace fencebridge::test
