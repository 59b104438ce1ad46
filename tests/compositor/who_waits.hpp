// SPDX-License-Identifier: MIT
// Distinguishes a call that waits from one that returns at once, without measuring time.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

namespace fencebridge::test {

// Whether a thread of this process sleeps in a system call.
inline bool sleeps(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    size_t name_end = text.rfind(") ");
    return name_end != std::string::npos && text[name_end + 2] == 'S';
}

// Runs `call` on this thread. If this thread goes to sleep in it and stays asleep, another thread
// runs `if_it_waits`, which has to end the wait. Returns whether that happened.
template <class Call, class IfItWaits>
bool run_and_see_whether_it_waits(Call call, IfItWaits if_it_waits) {
    constexpr int times = 20;
    pid_t caller = pid_t(syscall(SYS_gettid));
    std::atomic<bool> returned = false;
    std::atomic<bool> waited = false;
    std::thread watcher([&] {
        for (int seen = 0; seen < times && !returned; std::this_thread::yield())
            seen = sleeps(caller) ? seen + 1 : 0;
        if (returned)
            return;
        waited = true;
        if_it_waits();
    });
    call();
    returned = true;
    watcher.join();
    return waited;
}

} // namespace fencebridge::test
