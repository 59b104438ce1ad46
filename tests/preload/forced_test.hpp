// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace fencebridge::test {

/// The main function of the child processes that forced_test.cpp starts.
/// @return the exit status, a value of Path, which tells who performed the import
int probe(const std::vector<std::string>& options);

} // namespace fencebridge::test
