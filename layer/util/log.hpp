// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace fencebridge::log {

enum class Level { error, warning, info, debug };

/// What a message is about. `performance`: something works, but slower than it could.
enum class Topic { general, performance };

// The log is one for the whole process: standard error, or a file.

/// Sets the least urgent level that is written to the log.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

/// Writes the log to a file from now on, or to standard error if the path is empty. Lines are
/// appended; a file that does not exist is created for the user alone (mode 0600). If it cannot be
/// opened, the log has a warning and stays on standard error. A file stays open until the process
/// ends: another thread may be writing to it.
void set_file(const std::string& path);

/// Each of the functions below writes one line, `fencebridge: LEVEL: MESSAGE`. A line has at most
/// 1023 bytes; the rest is cut off. The write(2) blocks while standard error is a full pipe.
[[gnu::format(printf, 1, 2)]] void error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void info(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void debug(const char* format, ...);
/// A problem that costs time and nothing else, such as a wait on the CPU.
[[gnu::format(printf, 2, 3)]] void slow(Level level, const char* format, ...);
/// For a problem that each new object may have again: a message that somebody in this process has
/// already seen has the level `info`.
[[gnu::format(printf, 2, 3)]] void once(Level level, const char* format, ...);

/// Receives messages beside the log, whatever the log's level.
class Receiver {
public:
    virtual ~Receiver() = default;
    [[nodiscard]] virtual bool wants(Level level) const noexcept = 0;
    /// @param message  without the words `fencebridge: LEVEL: `
    virtual void receive(Level level, Topic topic, std::string_view message) noexcept = 0;
};

/// Sets the receiver of the calling thread's messages; null: there is none. It must live until
/// another one is set.
/// @return the one before
Receiver* exchange_receiver(Receiver* receiver) noexcept;

} // namespace fencebridge::log
