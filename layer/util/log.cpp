// SPDX-License-Identifier: MIT
#include "util/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <unistd.h>
#include <utility>

#include "util/blocked_signals.hpp"
#include "util/fd.hpp"
#include "util/locked.hpp"

namespace fencebridge::log {

namespace {

std::atomic<Level> threshold = Level::warning;
std::atomic<int> output = STDERR_FILENO;
/// In the block of variables that each thread gets when it is created. Otherwise glibc allocates
/// the variable at a thread's first use of it, and ends the process if memory is short.
[[gnu::tls_model("initial-exec")]] thread_local Receiver* current_receiver = nullptr;

// Never destroyed: static destructors of the application may use the layer.
/// The files that set_file() has opened, by path; -1: that failed.
auto& files() {
    static auto* const the = new Locked<std::map<std::string, int>>;
    return *the;
}
/// What once() has logged.
auto& logged_once() {
    static auto* const the = new Locked<std::set<std::string, std::less<>>>;
    return *the;
}

constexpr std::array<const char*, 4> names = {"error", "warning", "info", "debug"};

/// Writes to the log. It may be a pipe or a socket without a reader, or a file that is not allowed
/// to grow (BlockedSignals).
void write_without_signals(std::span<const char> text) {
    const BlockedSignals signals{SIGPIPE, SIGXFSZ};
    const ssize_t written = ::write(output.load(), text.data(), text.size());
    if (written < 0 && (errno == EPIPE || errno == EFBIG))
        signals.discard_raised();
}

/// A line of the log.
class Line {
public:
    Line(Level level, const char* format, va_list args) {
        const size_t room = bytes_.size() - 1; // for the newline
        const int prefix = std::snprintf(bytes_.data(), room,
                                         "fencebridge: %s: ", names[static_cast<size_t>(level)]);
        message_ = static_cast<size_t>(std::max(prefix, 0));
        const int text = std::vsnprintf(bytes_.data() + message_, room - message_, format, args);
        used_ = std::min(message_ + static_cast<size_t>(std::max(text, 0)), room - 1);
        bytes_[used_] = '\n';
    }

    [[nodiscard]] std::span<const char> text() const { return {bytes_.data(), used_ + 1}; }
    [[nodiscard]] std::string_view message() const {
        return {bytes_.data() + message_, used_ - message_};
    }

private:
    std::array<char, 1024> bytes_;
    size_t message_; ///< where it begins
    size_t used_;    ///< without the newline
};

bool is_received(Level level) {
    return current_receiver != nullptr && current_receiver->wants(level);
}

void write_line(Level level, Topic topic, const char* format, va_list args) {
    if (!enabled(level) && !is_received(level))
        return;
    const int saved_errno = errno;
    const Line line(level, format, args);
    // Errors are ignored: the application may have closed standard error.
    if (enabled(level))
        write_without_signals(line.text());
    if (is_received(level))
        current_receiver->receive(level, topic, line.message());
    errno = saved_errno;
}

/// Opens a file for the log. Does not wait for the reader of a FIFO, and does not make a terminal
/// the process's own.
int open_file(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                  0600);
}

} // namespace

void set_level(Level level) { threshold.store(level, std::memory_order_relaxed); }

bool enabled(Level level) { return level <= threshold.load(std::memory_order_relaxed); }

void set_file(const std::string& path) {
    if (path.empty()) {
        output.store(STDERR_FILENO);
        return;
    }
    const auto known = files().with([&](const auto& all) {
        const auto found = all.find(path);
        return found == all.end() ? std::nullopt : std::optional(found->second);
    });
    if (known) {
        output.store(*known < 0 ? STDERR_FILENO : *known);
        return;
    }
    // Opened without the lock; of two results the first stays.
    Fd file(open_file(path));
    const int failure = file ? 0 : errno;
    const int descriptor = files().with([&](auto& all) {
        const auto [entry, is_new] = all.try_emplace(path, file.get());
        if (is_new)
            static_cast<void>(file.release());
        return entry->second;
    });
    output.store(descriptor < 0 ? STDERR_FILENO : descriptor);
    if (failure != 0)
        warning("the log stays on standard error: open() of log_file=%s: %s", path.c_str(),
                ::strerrordesc_np(failure));
}

Receiver* exchange_receiver(Receiver* receiver) noexcept {
    return std::exchange(current_receiver, receiver);
}

void error(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::error, Topic::general, format, args);
    va_end(args);
}

void warning(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::warning, Topic::general, format, args);
    va_end(args);
}

void info(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::info, Topic::general, format, args);
    va_end(args);
}

void debug(const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(Level::debug, Topic::general, format, args);
    va_end(args);
}

void slow(Level level, const char* format, ...) {
    va_list args;
    va_start(args, format);
    write_line(level, Topic::performance, format, args);
    va_end(args);
}

void once(Level level, const char* format, ...) {
    if (!enabled(level) && !is_received(level))
        return;
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    bool is_first = true;
    try {
        const std::string message(Line(level, format, args).message());
        is_first = logged_once().with([&](auto& all) { return all.insert(message).second; });
    } catch (const std::bad_alloc&) { // the message may come again
    }
    write_line(is_first ? level : Level::info, Topic::general, format, again);
    va_end(again);
    va_end(args);
}

} // namespace fencebridge::log
