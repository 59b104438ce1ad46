// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

namespace fencebridge::trace {

/// What the command line asks for.
struct Arguments {
    enum class Action { report, html, follow, help, version };
    Action action = Action::report;
    std::string file;
    std::string html;   ///< the page to write
    size_t frames = 20; ///< the last ones, to be listed
};

extern const char* const usage;

/// @param words  without the program's name
/// @return the error says what is wrong, as one line
[[nodiscard]] std::expected<Arguments, std::string>
read_arguments(std::span<const char* const> words);

} // namespace fencebridge::trace
