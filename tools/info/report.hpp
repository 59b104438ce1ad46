// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "info/facts.hpp"

namespace fencebridge::info {

/// The report for people, in lines of at most 80 columns.
[[nodiscard]] std::string report_text(const Facts& facts, bool coloured);

/// The report for programs: an object of JSON.
[[nodiscard]] std::string report_json(const Facts& facts);

} // namespace fencebridge::info
