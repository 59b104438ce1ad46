// SPDX-License-Identifier: MIT
// The setting `image`, which names the allocator that the layer tries first.
#pragma once

#include "fixture.hpp"

#include <cstdlib>
#include <string>

namespace fencebridge::test {

// Sets FENCEBRIDGE_IMAGE while it lives.
class AllocatorSetting {
public:
    explicit AllocatorSetting(const std::string& name) {
        setenv("FENCEBRIDGE_IMAGE", name.c_str(), 1);
    }
    ~AllocatorSetting() { unsetenv("FENCEBRIDGE_IMAGE"); }
    AllocatorSetting(const AllocatorSetting&) = delete;
    AllocatorSetting& operator=(const AllocatorSetting&) = delete;
};

// How many swapchains the log says that the allocator has made.
inline size_t swapchains_by(const ErrorLog& log, const std::string& allocator) {
    return log.lines_with({"info: swapchain ", " allocator=" + allocator + " "}).size();
}

} // namespace fencebridge::test
