// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace fencebridge::test {

/// What the program does as a child process of the tests in forced_test.cpp, instead of testing.
/// @return the exit status, which tells who carried out an import
int probe(const std::vector<std::string>& options);

} // namespace fencebridge::test
