// SPDX-License-Identifier: MIT
#pragma once

namespace fencebridge::log {

enum class Level { error, warning, info, debug };

/// Sets the least urgent level that is written, for the whole process.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

/// Each of the functions below writes one line, `fencebridge: LEVEL: MESSAGE`, to standard error. A
/// line has at most 1023 bytes; the rest is cut off. The write(2) blocks while standard error is a
/// full pipe.
[[gnu::format(printf, 1, 2)]] void error(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void warning(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void info(const char* format, ...);
[[gnu::format(printf, 1, 2)]] void debug(const char* format, ...);

} // namespace fencebridge::log
