// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencebridge::settings {

enum class Type {
    choice,       ///< one of the names
    list,         ///< any number of the names, with commas or colons between them
    number,       ///< within the limits, with or without a decimal point
    whole_number, ///< within the limits
    path,         ///< any text; empty: none
};

/// A setting. The rows are those of settings.json, which also describes them.
struct Row {
    std::string_view key;
    Type type;
    std::string_view names;   ///< of `choice` and `list`, with ", " between them
    double least;             ///< of numbers
    double most;              ///< of numbers
    std::string_view initial; ///< the value of a setting that nobody sets
};

[[nodiscard]] std::span<const Row> rows();
/// @return null if there is no such setting
[[nodiscard]] const Row* find_row(std::string_view key);

/// Whether the setting can have the value.
[[nodiscard]] bool allows(const Row& row, std::string_view value);
/// What allows() accepts, for the log. To be read after "allowed: ".
[[nodiscard]] std::string describe_allowed(const Row& row);

[[nodiscard]] std::string_view trim(std::string_view text);
/// The parts of a list: between commas, or between colons if there is no comma, as in the Vulkan
/// SDK's layers. Without the spaces around them, and without empty parts.
[[nodiscard]] std::vector<std::string_view> split(std::string_view list);
/// Reads a number without an exponent.
/// @return nothing if the text is not such a number
[[nodiscard]] std::optional<double> read_number(std::string_view text);

} // namespace fencebridge::settings
