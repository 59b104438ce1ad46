// SPDX-License-Identifier: MIT
// What this process has of the system, as /proc tells it.
#pragma once

#include <cstdint>
#include <cstdio>

namespace fencebridge::bench {

struct Usage {
    uint64_t rss_kib;
    uint64_t pss_kib;
    uint64_t private_kib;
    uint64_t fds;
    uint64_t threads;
};

Usage usage_now();

// As a JSON object, without a line's end.
void print(std::FILE* to, const Usage& usage);

} // namespace fencebridge::bench
