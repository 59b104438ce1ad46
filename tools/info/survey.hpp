// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

#include "info/facts.hpp"

namespace fencebridge::info {

/// Runs all probes, one after the other.
/// @param limit  of each probe
[[nodiscard]] Facts survey(std::chrono::milliseconds limit);

/// The main function of a probe.
/// @param name      as survey() names it
/// @param argument  its argument; empty if it has none
/// @return false if there is no such probe
[[nodiscard]] bool run_as_probe(const std::string& name, const std::string& argument);

} // namespace fencebridge::info
