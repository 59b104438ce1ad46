// SPDX-License-Identifier: MIT
#include <algorithm>

#include "scenarios.hpp"
#include "still/options.hpp"

namespace fencebridge::screen {

namespace {

constexpr int frames = 30;

bool shows_every_frame(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_FIFO_KHR || mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR;
}

} // namespace

// FIFO shows each frame at a time of its own, in order. The other modes may discard all but the
// last.
void present_modes(Application& application, Problems& problems) {
    for (const VkPresentModeKHR mode : application.modes()) {
        if (mode == VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR)
            continue; // shared_image()
        const std::string name = "mode " + std::to_string(mode) + ": ";
        Chain chain(application, {.mode = mode});
        std::vector<size_t> commits;
        for (int i = 0; i < frames; ++i)
            commits.push_back(chain.frame());
        expect(problems, application.judge().wait_for(commits.back()).shown,
               name + "the last frame was not shown");
        uint64_t last = 0;
        for (size_t i = 0; i < commits.size(); ++i) {
            const Outcome outcome = application.judge().wait_for(commits[i]);
            if (!shows_every_frame(mode))
                continue;
            const std::string frame = name + "frame " + std::to_string(i);
            expect(problems, outcome.shown, frame + " was discarded");
            expect(problems, !outcome.shown || outcome.time_ns > last,
                   frame + " was shown at the time of an earlier one");
            last = std::max(last, outcome.time_ns);
        }
    }
}

} // namespace fencebridge::screen
