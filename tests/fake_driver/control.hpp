// SPDX-License-Identifier: MIT
// The fake driver's control table for C++ tests: Meson gives the path as FAKE_DRIVER_LIBRARY.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "fake_driver/control.h"

namespace fencebridge::test {

/// The one table of this process. The handle stays open for the life of the process, so settings
/// made before vkCreateInstance last although the loader opens and closes the driver in between.
inline const FakeDriverControl& fake_driver() {
    static const FakeDriverControl* const control = [] {
        void* const library = dlopen(FAKE_DRIVER_LIBRARY, RTLD_NOW | RTLD_LOCAL);
        void* const symbol =
            library != nullptr ? dlsym(library, FAKE_DRIVER_CONTROL_SYMBOL) : nullptr;
        if (symbol == nullptr) {
            std::fprintf(stderr, "no fake driver: %s\n", dlerror());
            std::exit(EXIT_FAILURE);
        }
        return reinterpret_cast<FakeDriverGetControl>(symbol)(FAKE_DRIVER_CONTROL_VERSION);
    }();
    return *control;
}

} // namespace fencebridge::test
