// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "environment.hpp"
#include "fake_driver/control.hpp"

int main(int count, char** arguments) {
    testing::InitGoogleTest(&count, arguments);
    // Opened before any test counts descriptors and objects.
    (void)fencebridge::test::fake_driver();
#ifdef TEST_WITH_LAYER
    const fencebridge::test::LayerEnvironment environment;
#else
    const fencebridge::test::DriverEnvironment environment;
#endif
    return RUN_ALL_TESTS();
}
