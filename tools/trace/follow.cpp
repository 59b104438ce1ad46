// SPDX-License-Identifier: MIT
#include "follow.hpp"

#include <cstdio>
#include <time.h>

#include "decode.hpp"
#include "frames.hpp"
#include "report.hpp"

namespace fencebridge::trace {

namespace {

constexpr int64_t second = 1'000'000'000;

int64_t now() {
    timespec time = {};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return int64_t{time.tv_sec} * second + time.tv_nsec;
}

void sleep_until(int64_t time) {
    const timespec until = {.tv_sec = static_cast<time_t>(time / second),
                            .tv_nsec = static_cast<long>(time % second)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0)
        ;
}

/// The end of a rendering is recorded when its image is acquired again, some frames later. So each
/// line is about the second before the last half second.
constexpr int64_t delay = second / 2;

} // namespace

std::expected<void, std::string> follow(const TraceFile& file) {
    for (int64_t time = now() + second;; time += second) {
        const bool runs = file.is_in_use();
        if (runs)
            sleep_until(time);
        const auto bytes = file.read();
        if (!bytes)
            return std::unexpected(bytes.error());
        const auto trace = decode(*bytes);
        if (!trace)
            return std::unexpected(trace.error());
        if (!runs) {
            std::printf("process %u has ended\n", trace->pid);
            return {};
        }
        const std::string line = summary(find_frames(*trace), time - delay - second, time - delay);
        if (std::puts(line.c_str()) < 0 || std::fflush(stdout) != 0)
            return {};
    }
}

} // namespace fencebridge::trace
