// SPDX-License-Identifier: MIT
#include "util/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <span>
#include <unistd.h>

#include "util/blocked_signals.hpp"

namespace fencebridge::log {

namespace {

std::atomic<Level> threshold = Level::warning;

constexpr std::array<const char*, 4> names = {"error", "warning", "info", "debug"};

/// Writes to standard error. It may be a pipe or a socket without a reader, or a file that is not
/// allowed to grow (BlockedSignals).
void write_without_signals(std::span<const char> text) {
    const BlockedSignals signals{SIGPIPE, SIGXFSZ};
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && (errno == EPIPE || errno == EFBIG))
        signals.discard_raised();
}

void write_line(Level level, const char* format, va_list args) {
    if (!enabled(level))
        return;
    const int saved_errno = errno;
    std::array<char, 1024> line;
    const size_t room = line.size() - 1; // for the newline
    const int prefix =
        std::snprintf(line.data(), room, "fencebridge: %s: ", names[static_cast<size_t>(level)]);
    size_t used = static_cast<size_t>(std::max(prefix, 0));
    const int text = std::vsnprintf(line.data() + used, room - used, format, args);
    used = std::min(used + static_cast<size_t>(std::max(text, 0)), room - 1);
    line[used++] = '\n';
    // Errors are ignored: the application may have closed standard error.
    write_without_signals({line.data(), used});
    errno = saved_errno;
}

} // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }

bool enabled(Level level) { return level <= threshold.load(std::memory_order_relaxed); }

void error(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::error, format, args);
    va_end(args);
}

void warning(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::warning, format, args);
    va_end(args);
}

void info(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::info, format, args);
    va_end(args);
}

void debug(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::debug, format, args);
    va_end(args);
}

} // namespace fencebridge::log
