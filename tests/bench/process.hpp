// SPDX-License-Identifier: MIT
// The resources that processes use.
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

// What this process uses, from /proc.
Usage usage_now();

// The process that listens at the other end of a connected socket: unix(7), SO_PEERCRED.
pid_t peer_of(int socket);

// The processor time of all threads of a process so far, in seconds.
double processor_time(pid_t process);

// How often threads of this process stopped running so far: they waited, or were preempted.
uint64_t context_switches();

// Prints a JSON object without a newline.
void print(std::FILE* to, const Usage& usage);

} // namespace fencebridge::bench
