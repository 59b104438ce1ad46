// SPDX-License-Identifier: MIT
// bench_windows: swapchains side by side on a real compositor, cleared as fast as the present mode
// allows. Writes one JSON object to standard output: the compositor's process ID, the number of
// frames and their time, the processor time of this process and of the compositor, this process's
// context switches, and the resources that it uses before the VkSurfaceKHRs and swapchains are
// created, after that, and at the end.
//
//     --windows N     the number of swapchains (1)
//     --mode M        fifo or mailbox (fifo)
//     --size W        the width in pixels; the height is three quarters of that (160)
//     --warm-up N     frames before the measurement (20)
//     --frames N      frames to measure, of every window
//     --seconds S     or the time to measure
//     --clears N      the clears in a frame; all but the last are red, and must never be seen (1)
//     --times         also measure each frame of the first window: see FrameTimes, Presentations
//     --hold N        with --times: first acquire N images of that window, and keep them (0)
//     --pause MS      with --times: the time from acquire to the submission (0)
//     --refreshes     also count the compositor's refreshes
//     --wait          after each frame, wait until the one before is on the screen, by
//                     vkWaitForPresentKHR
//     --marks         mark the parts of a frame for a tracer by system calls:
//                     access("bench:begin"), acquire, submit, present, wait, between, end
//     --stop          stop (SIGSTOP) after the warm-up, so that a tracer can attach
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "cleared_swapchain.hpp"
#include "grid.hpp"
#include "presentation.hpp"
#include "process.hpp"
#include "refreshes.hpp"
#include "still/failure.hpp"

namespace fencebridge::bench {
namespace {

struct Options {
    uint32_t windows = 1;
    VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
    uint32_t width = 160;
    uint32_t clears = 1;
    uint32_t held = 0;
    std::chrono::milliseconds pause{0};
    uint64_t warm_up = 20;
    uint64_t frames = 0;
    double seconds = 0;
    bool times = false;
    bool refreshes = false;
    bool wait = false;
    bool marks = false;
    bool stop = false;
};

VkPresentModeKHR mode_named(std::string_view name) {
    if (name == "fifo")
        return VK_PRESENT_MODE_FIFO_KHR;
    if (name == "mailbox")
        return VK_PRESENT_MODE_MAILBOX_KHR;
    throw still::UsageError("no present mode " + std::string(name));
}

uint64_t number(std::string_view name, std::string_view text, uint64_t least, uint64_t most) {
    uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < least || value > most)
        throw still::UsageError(std::string(name) + " is to be from " + std::to_string(least) +
                                " to " + std::to_string(most));
    return value;
}

double seconds_of(std::string_view name, const char* text) {
    char* end = nullptr;
    const double value = std::strtod(text, &end);
    if (*text == '\0' || *end != '\0' || !(value > 0 && value <= 3600))
        throw still::UsageError(std::string(name) + " is to be more than 0 and at most 3600");
    return value;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (bool* chosen = name == "--marks"       ? &options.marks
                           : name == "--stop"      ? &options.stop
                           : name == "--refreshes" ? &options.refreshes
                           : name == "--times"     ? &options.times
                           : name == "--wait"      ? &options.wait
                                                   : nullptr) {
            *chosen = true;
            continue;
        }
        if (++i == argc)
            throw still::UsageError("no value for " + std::string(name));
        const char* value = argv[i];
        if (name == "--windows")
            options.windows = uint32_t(number(name, value, 1, 64));
        else if (name == "--mode")
            options.mode = mode_named(value);
        else if (name == "--size")
            options.width = uint32_t(number(name, value, 4, 16384));
        else if (name == "--clears")
            options.clears = uint32_t(number(name, value, 1, 10000));
        else if (name == "--hold")
            options.held = uint32_t(number(name, value, 0, 16));
        else if (name == "--pause")
            options.pause = std::chrono::milliseconds(number(name, value, 0, 10000));
        else if (name == "--warm-up")
            options.warm_up = number(name, value, 0, 1'000'000'000);
        else if (name == "--frames")
            options.frames = number(name, value, 1, 1'000'000'000);
        else if (name == "--seconds")
            options.seconds = seconds_of(name, value);
        else
            throw still::UsageError("unknown option " + std::string(name));
    }
    if ((options.frames == 0) == (options.seconds == 0))
        throw still::UsageError("give either --frames or --seconds");
    if (options.times && options.wait)
        throw still::UsageError("give --times or --wait");
    if (!options.times && (options.held > 0 || options.pause.count() > 0))
        throw still::UsageError("--hold and --pause are for --times");
    return options;
}

// still::Connection keeps these signals for a program that looks whether one has come. This program
// ends at once.
struct EndBySignals {
    EndBySignals() {
        for (const int number : {SIGINT, SIGTERM})
            std::signal(number, SIG_DFL);
    }
};

// VK_KHR_present_id and VK_KHR_present_wait, for vkCreateDevice.
class PresentWait {
public:
    PresentWait() {
        id_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR;
        id_.presentId = VK_TRUE;
        wait_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR;
        wait_.pNext = &id_;
        wait_.presentWait = VK_TRUE;
    }
    still::DeviceAdditions additions() const {
        return {{VK_KHR_PRESENT_ID_EXTENSION_NAME, VK_KHR_PRESENT_WAIT_EXTENSION_NAME}, &wait_};
    }

private:
    VkPhysicalDevicePresentIdFeaturesKHR id_{};
    VkPhysicalDevicePresentWaitFeaturesKHR wait_{};
};

class Session {
public:
    explicit Session(const Options& options) :
        options_(options), marks_(options.marks),
        grid_(connection_, options.windows, {options.width, options.width * 3 / 4}),
        gpu_(connection_.display(),
             options.wait ? PresentWait().additions() : still::DeviceAdditions{}),
        pool_(gpu_.create_command_pool(0)) {}
    ~Session() { vkDeviceWaitIdle(gpu_.device()); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void run() {
        const Usage before = usage_now();
        for (uint32_t i = 0; i < grid_.size(); ++i)
            swapchains_.emplace_back(
                gpu_, gpu_.create_surface(connection_.display(), grid_.surface(i)), options_.mode,
                Size{options_.width, options_.width * 3 / 4}, options_.clears, pool_);
        const Usage created = usage_now();
        if (options_.refreshes)
            refreshes_.emplace(connection_, grid_.background());
        for (uint64_t i = 0; i < options_.warm_up; ++i)
            frame();
        if (options_.stop)
            std::raise(SIGSTOP);
        if (options_.times) {
            presentations_.emplace(connection_);
            swapchains_.front().hold(options_.held);
        }
        const Moment start = moment();
        marks_.set("bench:begin");
        const uint64_t frames = options_.frames > 0 ? count() : count_until(start.time);
        marks_.set("bench:end");
        const Moment end = moment();
        report(frames, start, end, before, created, usage_now());
    }

private:
    // The readings at a moment. Their differences are reported.
    struct Moment {
        Clock::time_point time;
        uint64_t refreshes;
        double client;     // processor time, seconds
        double compositor; // the same
        uint64_t switches; // of this process
    };
    Moment moment() const {
        return {Clock::now(), refreshes_ ? refreshes_->count() : 0, processor_time(getpid()),
                processor_time(compositor_), context_switches()};
    }

    void frame() {
        for (ClearedSwapchain& swapchain : swapchains_) {
            if (presentations_ && &swapchain == &swapchains_.front())
                times_.push_back(
                    swapchain.timed_frame(options_.pause, grid_.surface(0), *presentations_));
            else if (options_.wait)
                swapchain.awaited_frame(marks_);
            else
                swapchain.frame(marks_);
        }
        if (presentations_)
            presentations_->dispatch();
        // The Vulkan implementation reads the socket. This dispatches the program's own events,
        // among them pings.
        if (wl_display_dispatch_pending(connection_.display()) < 0)
            throw still::Failure("the compositor went away");
    }

    uint64_t count() {
        for (uint64_t i = 0; i < options_.frames; ++i)
            frame();
        return options_.frames;
    }

    uint64_t count_until(Clock::time_point start) {
        uint64_t frames = 0;
        const std::chrono::duration<double> length(options_.seconds);
        while (Clock::now() - start < length) {
            frame();
            ++frames;
        }
        return frames;
    }

    void report(uint64_t frames, const Moment& start, const Moment& end, const Usage& before,
                const Usage& created, const Usage& last) {
        std::printf("{\"compositor\": %d, \"windows\": %u, \"images\": %u, \"frames\": %llu, "
                    "\"refreshes\": %llu, "
                    "\"seconds\": %.6f, \"client_seconds\": %.6f, \"compositor_seconds\": %.6f, "
                    "\"switches\": %llu, \"before\": ",
                    int(compositor_), grid_.size(), swapchains_.front().images(),
                    static_cast<unsigned long long>(frames),
                    static_cast<unsigned long long>(end.refreshes - start.refreshes),
                    std::chrono::duration<double>(end.time - start.time).count(),
                    end.client - start.client, end.compositor - start.compositor,
                    static_cast<unsigned long long>(end.switches - start.switches));
        print(stdout, before);
        std::printf(", \"created\": ");
        print(stdout, created);
        std::printf(", \"end\": ");
        print(stdout, last);
        if (options_.times)
            print_times();
        std::printf("}\n");
    }

    void print_times() const {
        const auto print_all = [](const char* name, const auto& values, auto number_of) {
            std::printf(", \"%s\": [", name);
            const char* separator = "";
            for (const auto& value : values) {
                std::printf("%s%lld", separator, static_cast<long long>(number_of(value)));
                separator = ", ";
            }
            std::printf("]");
        };
        // Durations in nanoseconds.
        print_all("acquire", times_, [](const auto& frame) { return frame.acquire.count(); });
        print_all("present", times_, [](const auto& frame) { return frame.present.count(); });
        print_all("acquire_pending", times_,
                  [](const auto& frame) { return frame.acquire_pending.count(); });
        print_all("acquire_signalled", times_, [](const auto& frame) {
            return std::chrono::nanoseconds(frame.acquire_signalled.time_since_epoch()).count();
        });
        print_all("rendered_early", times_, [](const auto& frame) { return frame.rendered_early; });
        print_all("rendering_pending", times_,
                  [](const auto& frame) { return frame.rendering_pending; });
        print_all("shown", presentations_->shown(), [](auto time) { return time.count(); });
        std::printf(", \"discarded\": %llu",
                    static_cast<unsigned long long>(presentations_->discarded()));
    }

    const Options options_;
    const Marks marks_;
    std::vector<FrameTimes> times_;
    still::Connection connection_;
    const EndBySignals end_by_signals_;
    const pid_t compositor_ = peer_of(wl_display_get_fd(connection_.display()));
    Grid grid_;
    still::Gpu gpu_;
    still::CommandPool pool_;
    std::vector<ClearedSwapchain> swapchains_;
    std::optional<Refreshes> refreshes_;
    std::optional<Presentations> presentations_; // once frames are measured, with --times
};

} // namespace
} // namespace fencebridge::bench

int main(int argc, char** argv) {
    using namespace fencebridge;
    return still::run_program("bench_windows", [&] {
        bench::Session(bench::parse(argc, argv)).run();
        return still::exit_ok;
    });
}
