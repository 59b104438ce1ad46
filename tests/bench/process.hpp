// SPDX-License-Identifier: MIT
// What processes have of the system.
#pragma once

#include <cstdint>
#include <cstdio>
#include <sys/types.h>

namespace fencebridge::bench {

struct Usage {
    uint64_t rss_kib;
    uint64_t pss_kib;
    uint64_t private_kib;
    uint64_t fds;
    uint64_t threads;
};

// This process's, as /proc tells it.
Usage usage_now();

// The process that listens at the other end of a connected socket: unix(7), SO_PEERCRED.
pid_t peer_of(int socket);

// How long all threads of a process have had a processor so far, in seconds.
double processor_time(pid_t process);

// As a JSON object, without a line's end.
void print(std::FILE* to, const Usage& usage);

} // namespace fencebridge::bench
