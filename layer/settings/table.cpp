// SPDX-License-Identifier: MIT
#include "settings/table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fencebridge::settings {

namespace {

constexpr auto table = std::to_array<Row>({
#include "settings_rows.inc"
});

bool has_name(const Row& row, std::string_view name) {
    const auto names = split(row.names);
    return std::ranges::find(names, name) != names.end();
}

} // namespace

std::span<const Row> rows() { return table; }

const Row* find_row(std::string_view key) {
    const auto* const found = std::ranges::find(table, key, &Row::key);
    return found == table.end() ? nullptr : found;
}

bool allows(const Row& row, std::string_view value) {
    switch (row.type) {
    case Type::choice:
        return has_name(row, value);
    case Type::list:
        return std::ranges::all_of(split(value),
                                   [&](std::string_view name) { return has_name(row, name); });
    case Type::number:
    case Type::whole_number: {
        const auto number = read_number(value);
        // A comparison with NaN is false.
        return number && row.least <= *number && *number <= row.most &&
               (row.type == Type::number || std::trunc(*number) == *number);
    }
    case Type::path:
        break;
    }
    return true;
}

std::string describe_allowed(const Row& row) {
    const auto limit = [](double number) { return std::to_string(std::lround(number)); };
    switch (row.type) {
    case Type::choice:
        return std::string(row.names);
    case Type::list:
        return "a list of " + std::string(row.names);
    case Type::number:
        return "a number from " + limit(row.least) + " to " + limit(row.most);
    case Type::whole_number:
        return "a whole number from " + limit(row.least) + " to " + limit(row.most);
    case Type::path:
        break;
    }
    return "a path";
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view list) {
    const char separator = list.find(',') != std::string_view::npos ? ',' : ':';
    std::vector<std::string_view> parts;
    while (!list.empty()) {
        const auto end = std::min(list.find(separator), list.size());
        if (const auto part = trim(list.substr(0, end)); !part.empty())
            parts.push_back(part);
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return parts;
}

std::optional<double> read_number(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    return read.ec == std::errc() && read.ptr == end ? std::optional(number) : std::nullopt;
}

} // namespace fencebridge::settings
