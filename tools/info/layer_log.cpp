// SPDX-License-Identifier: MIT
#include "info/layer_log.hpp"

#include <algorithm>
#include <string_view>

namespace fencebridge::info {

namespace {

constexpr std::string_view prefix = "fencebridge: ";

/// The value of KEY=VALUE or KEY="VALUE" in a line; empty if the line has no such key.
std::string value_of(std::string_view line, std::string_view key) {
    const std::string start = " " + std::string(key) + "=";
    const size_t found = line.find(start);
    if (found == std::string_view::npos)
        return "";
    line.remove_prefix(found + start.size());
    const bool quoted = line.starts_with('"');
    if (quoted)
        line.remove_prefix(1);
    return std::string(line.substr(0, line.find(quoted ? '"' : ' ')));
}

/// The line about a new swapchain: swapchain WxH VK_FORMAT_... transport=... reason="..."
void read_swapchain(std::string_view line, ChoiceFacts& choice) {
    choice.transport = value_of(line, "transport");
    choice.allocator = value_of(line, "allocator");
    choice.modifier = value_of(line, "modifier");
    choice.present_mode = value_of(line, "present_mode");
    choice.images = value_of(line, "images");
    choice.reason = value_of(line, "reason");
    constexpr std::string_view format = "VK_FORMAT_";
    if (const size_t found = line.find(format); found != std::string_view::npos) {
        line.remove_prefix(found + format.size());
        choice.format = line.substr(0, line.find(' '));
    }
}

/// Whether a line is about a passing through: LEVEL and the words of docs/settings.md.
bool says_who_makes_swapchains(std::string_view line) {
    return line.starts_with("warning: ") || line.starts_with("error: ") ||
           line.find("leaving ") != std::string_view::npos;
}

std::string without_level(std::string_view line) {
    const size_t colon = line.find(": ");
    return std::string(line.substr(colon == std::string_view::npos ? 0 : colon + 2));
}

} // namespace

void read_layer_log(const std::vector<std::string>& lines, ChoiceFacts& choice) {
    bool waits = false;
    std::string last_decision;
    for (const std::string& line : lines) {
        if (!line.starts_with(prefix)) {
            choice.probe.output.push_back(line);
            continue;
        }
        const std::string_view text = std::string_view(line).substr(prefix.size());
        choice.log.emplace_back(text);
        if (text.find(": swapchain ") != std::string_view::npos &&
            !value_of(text, "transport").empty())
            read_swapchain(text, choice);
        // Its images ignore attached fences (Swapchain's log_waiting()).
        waits = waits || text.find("each vkQueuePresentKHR waits") != std::string_view::npos;
        if (says_who_makes_swapchains(text))
            last_decision = without_level(text);
    }
    if (!choice.transport.empty())
        choice.outcome = choice.transport == "cpu" || waits ? Outcome::waiting : Outcome::carried;
    else
        choice.reason = last_decision;
}

} // namespace fencebridge::info
