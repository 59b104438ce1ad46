// SPDX-License-Identifier: MIT
// Many frames of many swapchains on several threads: descriptors, threads, memory and driver
// objects do not grow.
#include "allocator_setting.hpp"
#include "channel.hpp"
#include "fixture.hpp"
#include "shared_memory.hpp"
#include "who_waits.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <malloc.h>

#include <array>
#include <charconv>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr size_t default_frames = 100'000; // by all windows together
constexpr size_t frames_before = 1'000;    // after these nothing should grow any more
constexpr size_t frames_each_swapchain = 500;
constexpr unsigned longest_run_seconds = 900;
// How much the memory in use varies with the scheduling of the threads. If each of 100,000 frames
// leaked the smallest allocation, the difference would be 3 MB.
constexpr size_t memory_noise = 16 * 1024;

size_t frames_to_run() {
    const char* text = getenv("FENCEBRIDGE_SOAK_FRAMES");
    size_t frames = default_frames;
    if (text)
        std::from_chars(text, text + std::strlen(text), frames);
    return frames;
}

// The image allocator to use; empty: the layer's choice.
std::string allocator_to_use() {
    const char* name = getenv("FENCEBRIDGE_IMAGE");
    return name ? name : "";
}

bool in_shared_memory() { return allocator_to_use().ends_with("host-pointer"); }

// Until the next present of an image, the layer keeps the fence of the last copy.
size_t fds_kept() {
    constexpr size_t windows = 4;
    constexpr size_t images = 4;
    return allocator_to_use().starts_with("copy") || in_shared_memory() ? windows * images : 0;
}

// Ends the process on a failure, since the other threads would wait for the one that failed.
void require(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "failed: %s\n", what);
    _exit(EXIT_FAILURE);
}

size_t threads_now() {
    std::filesystem::directory_iterator tasks("/proc/self/task");
    return size_t(std::distance(begin(tasks), end(tasks)));
}

// A thread's entry in /proc may still exist for a moment after pthread_join().
size_t threads_at_rest(size_t expected) {
    auto deadline = std::chrono::steady_clock::now() + Compositor::patience;
    while (threads_now() != expected && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    return threads_now();
}

// Acts as hardware that works on its own: a thread calls `finish` once for every start().
class Engine {
public:
    explicit Engine(std::function<void()> finish) : finish_(std::move(finish)) {}
    ~Engine() { jobs_.put(Job::stop); }
    void start() { jobs_.put(Job::finish); }

private:
    enum class Job { finish, stop };

    std::function<void()> finish_;
    Channel<Job> jobs_;
    std::jthread thread_{[this] { // declared last: the thread uses the members above
        while (jobs_.take() == Job::finish)
            finish_();
    }};
};

// What the windows share.
struct Scenery {
    explicit Scenery(Compositor& compositor) :
        app(compositor), instance(make_instance()), device(instance) {}

    App app;
    Owned<VkInstance> instance;
    Device device;
    std::mutex queue; // a VkQueue is externally synchronised
    Engine gpu{[] {
        while (fake_driver().release_one()) {
        }
    }};
};

// One window and its swapchains, each of which is created with the one before as oldSwapchain.
class Window {
public:
    Window(Scenery& scenery, VkPresentModeKHR mode, bool two_threads) :
        scenery_(scenery), mode_(mode), two_threads_(two_threads),
        window_(scenery.app.new_surface()),
        surface_(make_surface(scenery.instance, scenery.app, window_)), renderer_(scenery.device),
        acquired_fence_(make_fence(scenery.device)) {
        for (Frame& frame : frames_)
            frame = {make_semaphore(scenery.device), make_semaphore(scenery.device),
                     make_fence(scenery.device)};
    }

    void run(size_t count) {
        while (count > 0) {
            if (left_ == 0)
                renew_swapchain();
            const size_t now = std::min(count, left_);
            if (two_threads_)
                run_on_two_threads(now);
            else
                for (size_t i = 0; i < now; ++i)
                    show(acquire_next());
            left_ -= now;
            count -= now;
        }
        for (Frame& frame : frames_)
            finish(frame);
    }

private:
    struct Frame {
        Owned<VkSemaphore> acquired;
        Owned<VkSemaphore> rendered;
        Owned<VkFence> done;
        bool used = false;
    };
    struct Image {
        Frame* frame;
        uint32_t index;
    };

    void renew_swapchain() {
        Swapchain next(scenery_.device, surface_, {.mode = mode_, .old = swapchain_});
        require(next.result == VK_SUCCESS, "vkCreateSwapchainKHR");
        // Rendering to the old images must have ended before their swapchain is destroyed.
        for (Frame& frame : frames_)
            finish(frame);
        swapchain_ = std::move(next);
        left_ = frames_each_swapchain;
    }

    void finish(Frame& frame) {
        if (std::exchange(frame.used, false))
            require(wait_and_reset(scenery_.device, frame.done), "a frame's fence");
    }

    Image acquire_next() { return acquire_with(frames_[next_frame_++ % frames_.size()]); }

    // Every second acquire also signals a fence, which is waited for.
    Image acquire_with(Frame& frame) {
        finish(frame);
        const bool with_fence = acquired_++ % 2 == 1;
        auto [result, index] = acquire(scenery_.device, swapchain_, forever, frame.acquired,
                                       with_fence ? acquired_fence_.get() : VK_NULL_HANDLE);
        require(result == VK_SUCCESS, "vkAcquireNextImageKHR");
        scenery_.gpu.start(); // the layer may have submitted the signals
        if (with_fence)
            require(wait_and_reset(scenery_.device, acquired_fence_), "an image's fence");
        return {&frame, index};
    }

    void show(const Image& image) {
        std::lock_guard lock(scenery_.queue);
        renderer_.submit({image.frame->acquired}, {image.frame->rendered}, image.frame->done);
        image.frame->used = true;
        scenery_.gpu.start();
        require(present(scenery_.device.queue, swapchain_, image.index, {image.frame->rendered}) ==
                    VK_SUCCESS,
                "vkQueuePresentKHR");
        scenery_.gpu.start(); // the layer may have submitted a copy
    }

    // This thread acquires the images, and another one presents them.
    void run_on_two_threads(size_t count) {
        Channel<Frame*> free;
        Channel<Image> acquired;
        for (Frame& frame : frames_)
            free.put(&frame);
        std::jthread presenting([&] {
            for (size_t i = 0; i < count; ++i) {
                Image image = acquired.take();
                show(image);
                free.put(image.frame);
            }
        });
        for (size_t i = 0; i < count; ++i)
            acquired.put(acquire_with(*free.take()));
    }

    Scenery& scenery_;
    const VkPresentModeKHR mode_;
    const bool two_threads_;
    Owned<wl_surface*> window_;
    Owned<VkSurfaceKHR> surface_;
    Renderer renderer_;
    Owned<VkFence> acquired_fence_;
    std::array<Frame, 4> frames_;
    size_t next_frame_ = 0;
    size_t acquired_ = 0;
    Swapchain swapchain_;
    size_t left_ = 0; // frames until the next swapchain
};

// What a leak would add to.
struct Held {
    // Without those that the driver holds, since it keeps some until its next call, and without the
    // fences that the compositor keeps until it releases a buffer.
    size_t fds;
    size_t threads;
    size_t memory;
    std::map<int, uint64_t> driver_objects;
};

class Soak : public FencesTest {
protected:
    void SetUp() override {
        // With one heap for all threads, mallinfo2() reports exactly what is in use. The resident
        // set would include fragments, and pages that the C library keeps.
        mallopt(M_ARENA_MAX, 1);
        FencesTest::SetUp();
        if (in_shared_memory()) {
            may_use_shm_ = true;
            fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
            fake_driver().add_device_extension(0, "VK_EXT_external_memory_host");
        }
        alarm(longest_run_seconds);
        fake_driver().set_keep_log(VK_FALSE);
        fake_driver().hold_rendering(VK_TRUE);
    }

    // A present in shared memory returns before its commit, and the layer's thread commits.
    void wait_for_commits(size_t count) {
        EXPECT_TRUE(compositor_->wait_until(
            [=](const Scene& scene) { return scene.count("wl_surface", "commit") >= count; }));
        constexpr int times = 100; // a thread that waits for a lock sleeps for a moment
        for (const auto& thread : layer_threads())
            for (int seen = 0; seen < times; std::this_thread::yield())
                seen = sleeps(std::stoi(thread.filename())) ? seen + 1 : 0;
    }

    Held held(size_t threads) {
        size_t reads = compositor_->on_thread([](Scene& scene) { return scene.reads_kept(); });
        return {open_fds() - size_t(fake_driver().held_fds()) - reads, threads_at_rest(threads),
                mallinfo2().uordblks, live_driver_objects()};
    }
};

TEST_F(Soak, DescriptorsThreadsMemoryAndDriverObjectsDoNotGrow) {
    ErrorLog log;
    Compositor& compositor = start({.keep_logs = false});
    // The screen reads each image for a while after its commit, and possibly after its release.
    FenceTimeline screen;
    Engine display([&] { screen.advance(); });
    compositor.on_thread([&](Scene& scene) {
        if (in_shared_memory())
            return; // no fences: the compositor releases a buffer when it has read it
        scene.on_commit([&](const Commit& commit) {
            if (is_explicit()) {
                scene.set_read_until(*commit.buffer, screen.fence());
            } else {
                const Fd& dma_buf = scene.buffer(*commit.buffer).planes.begin()->second.fd;
                EXPECT_TRUE(attach_read_fence(dma_buf.get(), screen.fence().get()));
            }
            display.start();
        });
    });
    Scenery scenery(compositor);
    std::deque<Window> windows;
    for (VkPresentModeKHR mode : {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR})
        for (bool two_threads : {false, true})
            windows.emplace_back(scenery, mode, two_threads);
    auto run = [&](size_t frames) {
        std::vector<std::jthread> threads;
        for (Window& window : windows)
            threads.emplace_back([&, frames] { window.run(frames / windows.size()); });
    };
    // A swapchain in shared memory has a thread that shows its images.
    const size_t threads = threads_now() + (in_shared_memory() ? windows.size() : 0);

    run(frames_before);
    wait_for_commits(frames_before);
    const Held before = held(threads);
    run(frames_to_run() - frames_before);
    wait_for_commits(frames_to_run());
    const Held after = held(threads);

    EXPECT_EQ(compositor.requests("wl_surface", "commit"), frames_to_run());
    EXPECT_LE(after.fds, before.fds + fds_kept());
    EXPECT_EQ(after.threads, before.threads);
    EXPECT_EQ(after.driver_objects, before.driver_objects);
    EXPECT_LE(after.memory, before.memory + memory_noise);
    EXPECT_EQ(log.lines_with({"the setting is"}), std::vector<std::string>{})
        << "another transport than the requested one";
    if (!allocator_to_use().empty()) {
        const size_t all = log.lines_with({"info: swapchain ", " allocator="}).size();
        EXPECT_GT(all, 0u);
        EXPECT_EQ(swapchains_by(log, allocator_to_use()), all);
    }
    std::printf("memory in use: %zu bytes, then %zu\n", before.memory, after.memory);
    compositor.on_thread([](Scene& scene) { scene.on_commit({}); });
}

} // namespace
} // namespace fencebridge::test
