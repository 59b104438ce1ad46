// SPDX-License-Identifier: MIT
#include "arguments.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace fencebridge::trace {

const char* const usage =
    "usage: fencebridge-trace [--frames N] FILE\n"
    "       fencebridge-trace --html PAGE FILE\n"
    "       fencebridge-trace --follow FILE\n"
    "\n"
    "FILE is a trace that the Vulkan layer fencebridge has written: start the\n"
    "application with FENCEBRIDGE_TRACE_FILE=FILE. ui.perfetto.dev opens it, too.\n"
    "\n"
    "  --frames N   list the last N frames (default: 20; 0: none)\n"
    "  --html PAGE  write a web page with the time line of all frames\n"
    "  --follow     print one line a second until the traced process ends\n"
    "  --help       print this text\n"
    "  --version    print the version\n"
    "\n"
    "Exit status: 0; 1 if the trace cannot be read or the page cannot be written;\n"
    "2 if the command line is wrong.\n";

std::expected<Arguments, std::string> read_arguments(std::span<const char* const> words) {
    using Action = Arguments::Action;
    Arguments read;
    bool only_files = false;
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        const auto value = [&]() -> std::optional<std::string_view> {
            return ++i < words.size() ? std::optional<std::string_view>(words[i]) : std::nullopt;
        };
        if (only_files || word == "-" || !word.starts_with('-')) {
            if (!read.file.empty())
                return std::unexpected("more than one FILE");
            read.file = word;
        } else if (word == "--") {
            only_files = true;
        } else if (word == "--help" || word == "-h") {
            read.action = Action::help;
            return read;
        } else if (word == "--version") {
            read.action = Action::version;
            return read;
        } else if (word == "--follow") {
            read.action = Action::follow;
        } else if (word == "--html") {
            const auto page = value();
            if (!page || page->empty())
                return std::unexpected("--html needs the name of a page");
            read.action = Action::html;
            read.html = *page;
        } else if (word == "--frames") {
            const std::string_view count = value().value_or("");
            const auto [end, error] =
                std::from_chars(count.data(), count.data() + count.size(), read.frames);
            if (count.empty() || error != std::errc() || end != count.data() + count.size())
                return std::unexpected("--frames needs a number");
        } else {
            return std::unexpected("unknown option " + std::string(word));
        }
    }
    if (read.file.empty())
        return std::unexpected("FILE is missing");
    return read;
}

} // namespace fencebridge::trace
