// SPDX-License-Identifier: MIT
// fencebridge-info: shows what this machine can do for the layer, and what the layer would choose.
//
//   survey     runs the probes, each in a process of its own, since a driver may hang or crash
//   probe_*    one probe each: the kernel, the compositor, the loader, a driver, the layer's choice
//   facts      what the probes find out
//   advice     what to make of the facts: decisions, without any input or output
//   report_*   the facts for people and for programs
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

#include "info/advice.hpp"
#include "info/options.hpp"
#include "info/report.hpp"
#include "info/survey.hpp"

namespace {

using namespace fencebridge::info;

constexpr int status_unknown = static_cast<int>(Verdict::unknown);

/// Whether standard output gets colours (https://no-color.org).
bool wants_colour() {
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return (no_colour == nullptr || *no_colour == '\0') && ::isatty(STDOUT_FILENO) != 0 &&
           (terminal == nullptr || std::string(terminal) != "dumb");
}

/// @return the exit status: `status`, unless the text could not be written
int write_out(const std::string& text, int status) {
    const bool written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    if (!written)
        std::perror("fencebridge-info: standard output");
    return written ? status : status_unknown;
}

int run(const Options& options) {
    if (options.help)
        return write_out(usage_text(), 0);
    if (options.version)
        return write_out("fencebridge-info " FENCEBRIDGE_INFO_VERSION "\n", 0);
    const Facts facts = survey(options.limit);
    return write_out(options.json ? report_json(facts) : report_text(facts, wants_colour()),
                     static_cast<int>(judge(facts)));
}

} // namespace

int main(int count, char** arguments) {
    const auto options = parse_options(count, arguments);
    if (!options) {
        std::fprintf(stderr, "fencebridge-info: %s\n%s", options.error().c_str(), usage_text());
        return status_unknown;
    }
    if (options->probe)
        return run_as_probe(options->probe->first, options->probe->second) ? 0 : status_unknown;
    return run(*options);
}
