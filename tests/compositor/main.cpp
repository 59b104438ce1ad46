// SPDX-License-Identifier: MIT
#include "client.hpp"

#include <gtest/gtest.h>

int main(int argc, char** argv) {
    fencebridge::test::prepare_environment();
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
