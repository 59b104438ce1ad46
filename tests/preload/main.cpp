// SPDX-License-Identifier: MIT
#include <string_view>

#include <gtest/gtest.h>

#include "forced_test.hpp"

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--probe")
        return fencebridge::test::probe({argv + 2, argv + argc});
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
