// SPDX-License-Identifier: MIT
#include "info/words.hpp"

#include <algorithm>
#include <utility>

namespace fencebridge::info {

std::string in_words(const Check& check) {
    return std::string(name_of(check.state)) + (check.detail.empty() ? "" : ": " + check.detail);
}

Colour colour_of(const Check& check) {
    switch (check.state) {
    case State::yes:
        return Colour::good;
    case State::no:
    case State::denied:
        return Colour::warning;
    case State::absent:
    case State::unknown:
        break;
    }
    return Colour::plain;
}

std::string in_words(const ProbeEnd& probe) {
    std::string words;
    switch (probe.end) {
    case End::crashed:
        words = "crashed";
        break;
    case End::timed_out:
        words = "gave no answer";
        break;
    case End::failed:
        words = "failed";
        break;
    case End::not_started:
    case End::complete:
        return "";
    }
    if (!probe.step.empty())
        words += " in " + probe.step;
    return words + ": " + probe.detail;
}

std::string in_words(const FenceOperations& operations, const std::string& buffer) {
    const Check& exported = operations.export_sync_file;
    const Check& imported = operations.import_sync_file;
    if (exported.is(State::unknown))
        return "not tried: no dma-buf could be made";
    if (operations.work())
        return "yes: export and import work on a dma-buf of " + buffer;
    return in_words(exported.is(State::yes) ? imported : exported);
}

Colour colour_of(const FenceOperations& operations) {
    if (operations.work())
        return Colour::good;
    return operations.export_sync_file.is(State::unknown) ? Colour::plain : Colour::warning;
}

std::string join(const std::vector<std::string>& list, std::string_view separator) {
    std::string joined;
    for (const std::string& element : list)
        joined.append(joined.empty() ? "" : separator).append(element);
    return joined;
}

std::string short_modifier(const std::string& modifier) {
    if (modifier == "0x0000000000000000" || modifier == "0x0")
        return "LINEAR";
    if (modifier == "0x00ffffffffffffff" || modifier == "0xffffffffffffff")
        return "INVALID";
    return modifier;
}

std::vector<std::string> by_modifiers(const std::vector<FormatFacts>& formats) {
    constexpr size_t most_named = 2;
    std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> groups;
    for (const FormatFacts& format : formats) {
        const auto same = std::ranges::find_if(
            groups, [&](const auto& group) { return group.first == format.modifiers; });
        if (same != groups.end())
            same->second.push_back(format.format);
        else
            groups.push_back({format.modifiers, {format.format}});
    }
    std::vector<std::string> lines;
    for (const auto& [modifiers, names] : groups) {
        std::vector<std::string> short_names;
        std::ranges::transform(modifiers, std::back_inserter(short_names), &short_modifier);
        std::string what = std::to_string(modifiers.size()) + " modifiers";
        if (modifiers.empty())
            what = "not as dma-bufs";
        else if (modifiers.size() <= most_named)
            what = join(short_names, ", ");
        lines.push_back(what + ": " + join(names, " "));
    }
    return lines;
}

} // namespace fencebridge::info
