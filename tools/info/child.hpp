// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "info/archive.hpp"
#include "info/facts.hpp"

namespace fencebridge::info {

/// A probe to run. It is this program again, with a hidden option: a driver may hang or crash.
struct ProbeRequest {
    std::vector<std::string> arguments; ///< without argv[0]
    /// NAME=VALUE sets a variable, NAME alone removes it.
    std::vector<std::string> environment = {};
    std::chrono::milliseconds limit{0}; ///< then the process and its children are killed
};

struct ProbeOutcome {
    ProbeEnd end;                   ///< without output
    std::string facts;              ///< to_bytes() of what was found out; may be empty
    std::vector<std::string> lines; ///< that it wrote to standard output and standard error
};

/// Runs a probe to its end, or to its limit. Its standard input is empty.
[[nodiscard]] ProbeOutcome run_probe(const ProbeRequest& request);

/// The facts of a probe's outcome: what it has found out until it ended.
template <class T>
[[nodiscard]] T read_facts(const ProbeOutcome& outcome) {
    return from_bytes<T>(outcome.facts).value_or(T{});
}

} // namespace fencebridge::info
