// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace fencebridge::headless {

/// The settings of headless surfaces.
struct Options {
    /// From one refresh to the next: 1 / `headless_refresh`, by default 60 Hz.
    std::chrono::nanoseconds period = std::chrono::nanoseconds(16'666'667);
    /// `headless_capture`: the folder for frames; empty: none are written.
    std::string capture_folder = {};
    /// `headless_capture_every`: one of so many frames is written, the first one included.
    uint32_t capture_every = 60;

    bool operator==(const Options&) const = default;
};

} // namespace fencebridge::headless
