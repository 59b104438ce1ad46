// SPDX-License-Identifier: MIT
// screen_client [SCENARIO...]: checks the layer on the compositor of $WAYLAND_DISPLAY. Prints a
// line for each scenario: "ok NAME", "FAILED NAME" followed by the problems, or "absent NAME" if
// the device lacks what it needs. The exit status is 1 if one has failed.
#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>

#include "scenarios.hpp"
#include "still/failure.hpp"

namespace fencebridge::screen {

namespace {

struct Scenario {
    const char* name;
    void (*run)(Application&, Problems&);
    std::vector<const char*> extensions; // that it needs
};

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all = {
        {"present_modes", present_modes, {}},
        {"present_wait",
         present_wait,
         {VK_KHR_PRESENT_WAIT_EXTENSION_NAME, VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME}},
        {"maintenance1",
         maintenance1,
         {VK_KHR_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
          VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}},
        {"present_timing", present_timing, {VK_EXT_PRESENT_TIMING_EXTENSION_NAME}},
        {"display_timing", display_timing, {VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME}},
        {"shared_image", shared_image, {VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME}},
        {"colours", colours, {VK_EXT_HDR_METADATA_EXTENSION_NAME}},
        {"damage_and_views",
         damage_and_views,
         {VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME,
          VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME}},
    };
    return all;
}

// A compositor need not show the first frames of a window. sway discards them, and answers their
// frame callbacks at once, until it has arranged its windows.
void wait_until_visible(Application& application) {
    Chain chain(application, {});
    while (!application.judge().wait_for(chain.frame()).shown) {
    }
}

// Returns whether the scenario passed, or could not be run.
bool run(Application& application, const Scenario& scenario) {
    if (!std::ranges::all_of(scenario.extensions,
                             [&](const char* name) { return application.has(name); })) {
        std::printf("absent %s\n", scenario.name);
        return true;
    }
    Problems problems;
    try {
        scenario.run(application, problems);
    } catch (const still::Failure& failure) {
        problems.push_back(failure.what());
    }
    std::ranges::sort(problems);
    const auto repeated = std::ranges::unique(problems);
    problems.erase(repeated.begin(), repeated.end());
    std::printf("%s %s\n", problems.empty() ? "ok" : "FAILED", scenario.name);
    for (const std::string& problem : problems)
        std::printf("  %s\n", problem.c_str());
    std::fflush(stdout);
    return problems.empty();
}

} // namespace
} // namespace fencebridge::screen

int main(int argc, char** argv) {
    using namespace fencebridge::screen;
    const std::span names(argv + 1, static_cast<size_t>(argc - 1));
    for (const std::string_view name : names) {
        if (std::ranges::none_of(scenarios(),
                                 [&](const Scenario& one) { return name == one.name; })) {
            std::fprintf(stderr, "usage: screen_client [SCENARIO...]; a SCENARIO is one of");
            for (const Scenario& one : scenarios())
                std::fprintf(stderr, " %s", one.name);
            std::fprintf(stderr, "\n");
            return 2;
        }
    }
    return fencebridge::still::run_program("screen_client", [&] {
        Application application;
        wait_until_visible(application);
        bool passed = true;
        for (const Scenario& scenario : scenarios()) {
            if (names.empty() ||
                std::ranges::find(names, std::string_view(scenario.name)) != names.end())
                passed = run(application, scenario) && passed;
        }
        return passed ? fencebridge::still::exit_ok : fencebridge::still::exit_failed;
    });
}
