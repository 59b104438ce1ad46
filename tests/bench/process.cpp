// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

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
    usage.fds = entries("/proc/self/fd") - 1; // but for the one that lists them
    usage.threads = entries("/proc/self/task");
    return usage;
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
