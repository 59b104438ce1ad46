// SPDX-License-Identifier: MIT
// fencebridge-still: shows a fixed picture on Wayland through Vulkan. It needs no shaders, and
// every pixel is known beforehand, so a screenshot shows whether the window system got the picture
// right. It is also a small, complete example of how a program uses a swapchain:
//
//   connection, window   Wayland: the compositor's globals, an xdg-shell window
//   gpu                  instance, device and queue
//   canvas               a window's swapchain: choices, creation, resizing, drawing to an image
//   renderer             one frame: acquire, submit, present, and what each of them waits for
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "canvas.hpp"
#include "connection.hpp"
#include "failure.hpp"
#include "gpu.hpp"
#include "options.hpp"
#include "renderer.hpp"
#include "window.hpp"

namespace fencebridge::still {

namespace {

using Clock = std::chrono::steady_clock;
using Windows = std::vector<std::unique_ptr<Window>>;

constexpr uint64_t scroll_step = 4; // pixels a frame
constexpr int max_unsettled_frames = 1000;

bool any_closed(const Windows& windows) {
    return std::ranges::any_of(windows, [](const auto& window) { return window->closed(); });
}

// Each window is smaller than the one before it, so that it does not hide that one completely: a
// hidden window gets no frame callbacks, and a FIFO swapchain may wait for them.
Size first_size(uint32_t index, const Options& options) {
    uint32_t part = options.windows - index;
    return {std::max(options.width * part / options.windows, 1u),
            std::max(options.height * part / options.windows, 1u)};
}

// The picture moves towards its final place: the last moving frame is one step away from it.
uint32_t shift_at(uint64_t frame, const Options& options) {
    return frame < options.still_after ? uint32_t((options.still_after - frame) * scroll_step) : 0;
}

// With --resize-every, the program ignores the sizes that the compositor proposes after the first
// frame. For a floating window, a compositor proposes the size that the window has just taken.
Size size_at(uint64_t frame, const Window& window, Size first, const Options& options) {
    if (options.resize_every == 0)
        return window.size();
    if (frame / options.resize_every % 2 == 0)
        return first;
    return {std::max(first.width * 3 / 4, 1u), std::max(first.height * 3 / 4, 1u)};
}

// Some compositors make a window fullscreen with its first configure event, others only after its
// first frame.
bool settled(const Windows& windows, const Options& options) {
    return !options.fullscreen ||
           std::ranges::all_of(windows, [](const auto& window) { return window->fullscreen(); });
}

// Returns the number of frames of each window. Frames before the windows are settled do not count.
uint64_t show_frames(Connection& connection, Windows& windows, Renderer& renderer,
                     const Options& options) {
    std::vector<Size> first_sizes(windows.size());
    std::vector<Size> sizes(windows.size());
    uint64_t frame = 0;
    int unsettled_frames = 0;
    while (options.frames == 0 || frame < options.frames) {
        // Events are dispatched between two frames, never within one: the commit of the next frame
        // applies the configure event that is acknowledged here.
        connection.dispatch();
        if (connection.stop_requested() || any_closed(windows))
            break;
        bool counts = settled(windows, options);
        if (!counts && ++unsettled_frames > max_unsettled_frames)
            throw Unsupported("the compositor does not make the window fullscreen");
        for (size_t index = 0; index < windows.size(); ++index) {
            if (frame == 0)
                first_sizes[index] = windows[index]->size();
            sizes[index] = size_at(frame, *windows[index], first_sizes[index], options);
            if (counts && frame + 1 == options.frames)
                windows[index]->watch_next_frame();
        }
        if (renderer.render(sizes, shift_at(frame, options)) && counts)
            ++frame;
    }
    return frame;
}

void announce_last_frame(Connection& connection, const Windows& windows, const Options& options) {
    if (options.ready_file.empty())
        return;
    auto shown = [](const auto& window) { return window->watched_frame_shown(); };
    while (!std::ranges::all_of(windows, shown)) {
        if (connection.stop_requested() || any_closed(windows))
            throw Failure("stopped before the last frame was shown");
        connection.wait();
    }
    if (!std::ofstream(options.ready_file))
        throw Failure("cannot create " + options.ready_file);
}

void stay(Connection& connection, const Windows& windows) {
    connection.watch_input();
    while (!connection.stop_requested() && !any_closed(windows))
        connection.wait();
}

void report(const Gpu& gpu, const Canvas& canvas, uint64_t frames, Clock::duration elapsed,
            const Options& options) {
    double seconds = std::chrono::duration<double>(elapsed).count();
    std::printf("%llu frames in %.2f s (%.1f per second): %ux%u %s %s, %u images, \"%s\"\n",
                static_cast<unsigned long long>(frames), seconds, double(frames) / seconds,
                canvas.size().width, canvas.size().height, canvas.format().name,
                name_of(options.present_mode), canvas.image_count(), gpu.name().c_str());
    std::fflush(stdout);
}

// Without a window and without Wayland. Nothing is shown, but what implements the surface may
// record the frames.
ExitStatus run_headless(const Options& options) {
    Gpu gpu(nullptr);
    Canvas canvas(gpu, gpu.create_headless_surface(), options);
    Renderer renderer(gpu, {&canvas, 1});

    const Size size{options.width, options.height};
    Clock::time_point start = Clock::now();
    for (uint64_t frame = 0; frame < options.frames;)
        if (renderer.render({&size, 1}, shift_at(frame, options)))
            ++frame;
    report(gpu, canvas, options.frames, Clock::now() - start, options);
    return exit_ok;
}

ExitStatus run(const Options& options) {
    if (options.headless)
        return run_headless(options);
    // Each object is destroyed before the object that it was made from: the Vulkan surface before
    // the wl_surface, both before the connection.
    Connection connection;
    Windows windows;
    for (uint32_t index = 0; index < options.windows; ++index)
        windows.push_back(
            std::make_unique<Window>(connection, first_size(index, options), options));
    Gpu gpu(connection.display());
    std::vector<Canvas> canvases;
    for (const auto& window : windows)
        canvases.emplace_back(gpu, gpu.create_surface(connection.display(), window->surface()),
                              options);
    Renderer renderer(gpu, canvases);

    Clock::time_point start = Clock::now();
    uint64_t frames = show_frames(connection, windows, renderer, options);
    report(gpu, canvases.front(), frames, Clock::now() - start, options);
    if (frames < options.frames)
        throw Failure("closed after " + std::to_string(frames) + " of " +
                      std::to_string(options.frames) + " frames");
    announce_last_frame(connection, windows, options);
    if (options.hold)
        stay(connection, windows);
    return exit_ok;
}

} // namespace

} // namespace fencebridge::still

int main(int argc, char** argv) {
    using namespace fencebridge::still;
    return run_program("fencebridge-still", [&] {
        Options options = parse_options(argc, argv);
        if (!options.help)
            return run(options);
        std::fputs(usage_text(), stdout);
        return exit_ok;
    });
}
