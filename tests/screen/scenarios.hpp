// SPDX-License-Identifier: MIT
// What is checked on a real compositor. Each scenario adds the problems that it finds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "application.hpp"

namespace fencebridge::screen {

using Problems = std::vector<std::string>;

inline void expect(Problems& problems, bool holds, std::string problem) {
    if (!holds)
        problems.push_back(std::move(problem));
}

void present_modes(Application& application, Problems& problems);
void present_wait(Application& application, Problems& problems);
void maintenance1(Application& application, Problems& problems);
void present_timing(Application& application, Problems& problems);
void display_timing(Application& application, Problems& problems);
void shared_image(Application& application, Problems& problems);
void colours(Application& application, Problems& problems);
void damage_and_views(Application& application, Problems& problems);

} // namespace fencebridge::screen
