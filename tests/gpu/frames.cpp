// SPDX-License-Identifier: MIT
// gpu_frames WHERE MODE SECONDS: frames of 1920x1080 pixels, cleared as fast as the present mode
// allows. WHERE is `window` (the size of the compositor's output has to be 1920x1080) or
// `headless`; MODE is `fifo` or `mailbox`. Prints one line: the number of frames a second, and the
// medians of the time in vkAcquireNextImageKHR and in vkQueuePresentKHR.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cleared_swapchain.hpp"
#include "still/connection.hpp"
#include "still/failure.hpp"
#include "still/window.hpp"

namespace fencebridge::gpu {
namespace {

using bench::CallTimes;
using bench::ClearedSwapchain;
using bench::Clock;

constexpr bench::Size size{1920, 1080};
constexpr int warm_up = 30; // frames

double median_ms(std::vector<CallTimes>& frames, std::chrono::nanoseconds CallTimes::*call) {
    const auto middle = frames.begin() + std::ptrdiff_t(frames.size() / 2);
    std::ranges::nth_element(frames, middle, {}, call);
    return std::chrono::duration<double, std::milli>((*middle).*call).count();
}

// `between` is called between two frames.
void measure(const still::Gpu& gpu, still::Surface surface, VkPresentModeKHR mode, double seconds,
             const std::function<void()>& between) {
    const still::CommandPool pool = gpu.create_command_pool(0);
    ClearedSwapchain swapchain(gpu, std::move(surface), mode, size, 1, pool);
    for (int i = 0; i < warm_up; ++i) {
        swapchain.clocked_frame();
        between();
    }
    std::vector<CallTimes> frames;
    const std::chrono::duration<double> length(seconds);
    const auto start = Clock::now();
    do {
        frames.push_back(swapchain.clocked_frame());
        between();
    } while (Clock::now() - start < length);
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    gpu.wait_idle();
    std::printf("%.1f frames a second, acquire %.4f ms, present %.4f ms (medians), on \"%s\"\n",
                double(frames.size()) / elapsed, median_ms(frames, &CallTimes::acquire),
                median_ms(frames, &CallTimes::present), gpu.name().c_str());
}

void measure_window(VkPresentModeKHR mode, double seconds) {
    still::Connection connection;
    still::Options options;
    options.fullscreen = true;
    const still::Window window(connection, {size.width, size.height}, options);
    if (window.size() != still::Size{size.width, size.height})
        throw still::Unsupported("the compositor's output is not 1920x1080");
    const still::Gpu gpu(connection.display());
    measure(gpu, gpu.create_surface(connection.display(), window.surface()), mode, seconds, [&] {
        // The Vulkan implementation reads the socket. This dispatches the program's own events.
        if (wl_display_dispatch_pending(connection.display()) < 0)
            throw still::Failure("the compositor went away");
    });
}

void run(int argc, char** argv) {
    const std::string_view where = argc == 4 ? argv[1] : "";
    const std::string_view mode_name = argc == 4 ? argv[2] : "";
    const double seconds = argc == 4 ? std::strtod(argv[3], nullptr) : 0;
    if ((where != "window" && where != "headless") ||
        (mode_name != "fifo" && mode_name != "mailbox") || !(seconds > 0 && seconds <= 3600))
        throw still::UsageError("usage: gpu_frames window|headless fifo|mailbox SECONDS");
    const VkPresentModeKHR mode =
        mode_name == "fifo" ? VK_PRESENT_MODE_FIFO_KHR : VK_PRESENT_MODE_MAILBOX_KHR;
    if (where == "window") {
        measure_window(mode, seconds);
    } else {
        const still::Gpu gpu(nullptr);
        measure(gpu, gpu.create_headless_surface(), mode, seconds, [] {});
    }
}

} // namespace
} // namespace fencebridge::gpu

int main(int argc, char** argv) {
    using namespace fencebridge;
    return still::run_program("gpu_frames", [&] {
        gpu::run(argc, argv);
        return still::exit_ok;
    });
}
