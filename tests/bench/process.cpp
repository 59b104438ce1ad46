// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "still/failure.hpp"

namespace fencebridge::bench {
namespace {

uint64_t entries(const char* folder) {
    uint64_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
        ++count;
    return count;
}

} // namespace

Usage usage_now() {
    Usage usage{};
    std::ifstream rollup("/proc/self/smaps_rollup");
    for (std::string line; std::getline(rollup, line);) {
        std::istringstream words(line);
        std::string name;
        uint64_t kib = 0;
        words >> name >> kib;
        if (name == "Rss:")
            usage.rss_kib = kib;
        else if (name == "Pss:")
            usage.pss_kib = kib;
        else if (name == "Private_Clean:" || name == "Private_Dirty:")
            usage.private_kib += kib;
    }
    usage.fds = entries("/proc/self/fd") - 1; // without the one that reads the folder
    usage.threads = entries("/proc/self/task");
    return usage;
}

pid_t peer_of(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        throw still::Failure("SO_PEERCRED does not tell who the compositor is");
    return peer.pid;
}

double processor_time(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0)
        throw still::Failure("no processor time of process " + std::to_string(process));
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

uint64_t context_switches() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return uint64_t(used.ru_nvcsw) + uint64_t(used.ru_nivcsw);
}

void print(std::FILE* to, const Usage& usage) {
    std::fprintf(to,
                 "{\"rss_kib\": %llu, \"pss_kib\": %llu, \"private_kib\": %llu, \"fds\": %llu, "
                 "\"threads\": %llu}",
                 static_cast<unsigned long long>(usage.rss_kib),
                 static_cast<unsigned long long>(usage.pss_kib),
                 static_cast<unsigned long long>(usage.private_kib),
                 static_cast<unsigned long long>(usage.fds),
                 static_cast<unsigned long long>(usage.threads));
}

} // namespace fencebridge::bench
