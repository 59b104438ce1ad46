// SPDX-License-Identifier: MIT
#include "info/options.hpp"

#include <charconv>
#include <string_view>
#include <vector>

namespace fencebridge::info {

namespace {

constexpr double longest_limit = 3600;

std::expected<std::chrono::milliseconds, std::string> parse_seconds(std::string_view text) {
    double seconds = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    // A comparison with NaN is false.
    if (error != std::errc() || end != text.data() + text.size() ||
        !(seconds > 0 && seconds <= longest_limit))
        return std::unexpected("--timeout: \"" + std::string(text) +
                               "\" is not a number of seconds, at most 3600");
    return std::chrono::milliseconds(static_cast<long>(seconds * 1000 + 0.5));
}

} // namespace

std::expected<Options, std::string> parse_options(int count, char* const* arguments) {
    Options options;
    const std::vector<std::string> all(arguments + 1, arguments + count);
    for (size_t i = 0; i < all.size(); ++i) {
        const std::string& option = all[i];
        if (option == "--help" || option == "-h") {
            options.help = true;
        } else if (option == "--version") {
            options.version = true;
        } else if (option == "--json") {
            options.json = true;
        } else if (option == "--timeout" && i + 1 < all.size()) {
            const auto limit = parse_seconds(all[++i]);
            if (!limit)
                return std::unexpected(limit.error());
            options.limit = *limit;
        } else if (option == "--probe" && i + 2 < all.size()) {
            options.probe = {all[i + 1], all[i + 2]};
            i += 2;
        } else if (option == "--timeout") {
            return std::unexpected("--timeout: a number of seconds is missing");
        } else {
            return std::unexpected("unknown argument: " + option);
        }
    }
    return options;
}

const char* usage_text() {
    return "usage: fencebridge-info [--json] [--timeout SECONDS]\n"
           "\n"
           "Shows what this machine can do for the Vulkan layer fencebridge, what the\n"
           "layer would choose on each device, why, and what would make it better.\n"
           "\n"
           "  --json             write an object of JSON, for programs\n"
           "  --timeout SECONDS  how long a driver or the compositor may take for each\n"
           "                     answer (10)\n"
           "  --version          write the version\n"
           "  -h, --help         write this text\n"
           "\n"
           "Exit status: 0 if the layer would take over and carry fences on a device, 1 if\n"
           "it would wait on the CPU or pass through on all of them, 2 if that could not be\n"
           "found out or the arguments are wrong. See fencebridge-info(1).\n";
}

} // namespace fencebridge::info
