// SPDX-License-Identifier: MIT
// The fake driver's control table for C++ tests. Meson defines the library's path as
// FAKE_DRIVER_LIBRARY.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "fake_driver/control.h"

namespace fencebridge::test {

/// The control table. The library stays open until the process ends, so that the driver keeps its
/// settings although the loader opens and closes it.
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
