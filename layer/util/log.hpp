// SPDX-License-Identifier: MIT
#pragma once

namespace fencebridge::log {

enum class Level { error, warning, info, debug };

/// What is less urgent than this is not written. One setting for the process.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

/// Each writes one line, `fencebridge: LEVEL: MESSAGE`, to standard error in one system call.
[[gnu::format(printf, 1, 2)]] void error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void info(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void debug(const char* format, ...);

} // namespace fencebridge::log
