// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "info/facts.hpp"

namespace fencebridge::info {

/// Reads in the layer's log what it has chosen (docs/settings.md, "The log").
/// @param lines  everything that the process wrote; other lines than the layer's become output of
///               the probe
/// @param choice  its surface and probe are kept
void read_layer_log(const std::vector<std::string>& lines, ChoiceFacts& choice);

} // namespace fencebridge::info
