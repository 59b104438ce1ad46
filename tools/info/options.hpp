// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace fencebridge::info {

struct Options {
    bool help = false;
    bool version = false;
    bool json = false;
    std::chrono::milliseconds limit{10000}; ///< of each probe
    /// This process is a probe: its name and its argument. Not documented: the program runs itself.
    std::optional<std::pair<std::string, std::string>> probe;
};

/// @return the error is a line for the user
[[nodiscard]] std::expected<Options, std::string> parse_options(int count, char* const* arguments);

[[nodiscard]] const char* usage_text();

} // namespace fencebridge::info
