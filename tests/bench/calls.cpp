// SPDX-License-Identifier: MIT
// bench_calls: one swapchain on the fake driver and the fake compositor, which is a thread of this
// process. Most of what a frame costs is then the layer's own. FENCEBRIDGE_SYNC selects the
// transport. With FAKE_DRIVER_MEMORY=udmabuf, buffers and fences are the kernel's.
//
//     frames N        shows N frames, to be profiled
//     times N         measures vkAcquireNextImageKHR and vkQueuePresentKHR in N frames without
//                     pending fences
//     pending N MS    measures them in N frames in which the compositor goes on reading the
//                     acquired image for MS milliseconds
//
// `times` and `pending` write one JSON object to standard output: the nanoseconds of every call.
// With --fake-module as the first argument, a fake of the kernel module answers in this process.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "compositor/client.hpp"
#include "compositor/fake_module.hpp"
#include "fake_compositor/dma_buf.hpp"

namespace fencebridge::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "bench_calls: %s\n", why);
    std::exit(EXIT_FAILURE);
}

void require(bool holds, const char* what) {
    if (!holds)
        give_up(what);
}

void require(VkResult result, const char* what) { require(result == VK_SUCCESS, what); }

// Runs the call, and returns how many nanoseconds it took.
template <class Call>
long long time_of(Call call) {
    const auto start = Clock::now();
    call();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

struct Times {
    std::vector<long long> acquire;
    std::vector<long long> present;

    void print() const {
        std::printf("{");
        print("acquire", acquire);
        std::printf(", ");
        print("present", present);
        std::printf("}\n");
    }

private:
    static void print(const char* name, const std::vector<long long>& all) {
        std::printf("\"%s\": [", name);
        for (size_t i = 0; i < all.size(); ++i)
            std::printf("%s%lld", i > 0 ? ", " : "", all[i]);
        std::printf("]");
    }
};

// What a frame needs besides its image.
struct Frame {
    explicit Frame(VkDevice device) :
        acquired(test::make_semaphore(device)), rendered(test::make_semaphore(device)),
        done(test::make_fence(device)) {}
    test::Owned<VkSemaphore> acquired;
    test::Owned<VkSemaphore> rendered;
    test::Owned<VkFence> done;
};

// Acquires an image without a timeout, and measures the call.
uint32_t acquire(const test::Client& client, const test::Swapchain& swapchain, const Frame& frame,
                 Times& times) {
    test::Acquired acquired{VK_ERROR_UNKNOWN, 0};
    times.acquire.push_back(time_of([&] {
        acquired.result = vkAcquireNextImageKHR(client.device, swapchain, test::forever,
                                                frame.acquired, VK_NULL_HANDLE, &acquired.index);
    }));
    require(acquired.result, "vkAcquireNextImageKHR");
    return acquired.index;
}

void present(const test::Client& client, const test::Swapchain& swapchain, const Frame& frame,
             uint32_t index, Times& times) {
    VkResult result = VK_ERROR_UNKNOWN;
    const std::vector<VkSemaphore> rendered = {frame.rendered};
    times.present.push_back(
        time_of([&] { result = test::present(client.device.queue, swapchain, index, rendered); }));
    require(result, "vkQueuePresentKHR");
}

void show_frames(test::Client& client, size_t count) {
    const test::Swapchain swapchain = client.swapchain();
    require(swapchain.result, "vkCreateSwapchainKHR");
    for (size_t i = 0; i < count; ++i)
        require(client.frame(swapchain), "a frame could not be shown");
    vkDeviceWaitIdle(client.device);
}

void time_frames(test::Compositor& compositor, test::Client& client, size_t count) {
    const test::Swapchain swapchain = client.swapchain();
    require(swapchain.result, "vkCreateSwapchainKHR");
    const Frame frame(client.device);
    Times times;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t index = acquire(client, swapchain, frame, times);
        client.renderer.submit({frame.acquired}, {frame.rendered}, frame.done);
        // The rendering takes no time, and is done before the present.
        require(test::wait_and_reset(client.device, frame.done), "vkWaitForFences");
        present(client, swapchain, frame, index, times);
        compositor.settle(); // the compositor then has released the buffer that it replaced
    }
    times.print();
}

// Releases a buffer that the compositor still reads until the fence signals. The fence goes to the
// release point of the buffer if it has one, else to the dma-buf.
void release_pending(test::Compositor& compositor, test::BufferId buffer, const test::Fd& fence) {
    if (compositor.release_with_fence(buffer, fence))
        return;
    const test::Fd dma_buf = compositor.dma_buf_of(buffer);
    require(test::attach_read_fence(dma_buf.get(), fence.get()), "DMA_BUF_IOCTL_IMPORT_SYNC_FILE");
    compositor.release(buffer);
}

void time_pending(test::Compositor& compositor, test::Client& client, size_t count,
                  std::chrono::milliseconds length) {
    const test::Swapchain swapchain = client.swapchain();
    require(swapchain.result, "vkCreateSwapchainKHR");
    // The compositor holds all images, so that the one that it releases is acquired next.
    for (size_t i = 0; i < swapchain.images.size(); ++i)
        require(client.frame(swapchain), "a frame could not be shown");
    vkDeviceWaitIdle(client.device);
    const Frame frame(client.device);
    Times times;
    for (size_t i = 0; i < count; ++i) {
        test::FenceTimeline reading;
        const test::Fd fence = reading.fence();
        release_pending(compositor, *compositor.commit_at(i).buffer, fence);
        std::thread read_ends([&] {
            std::this_thread::sleep_for(length);
            reading.advance();
        });
        const uint32_t index = acquire(client, swapchain, frame, times);
        client.renderer.submit({frame.acquired}, {frame.rendered}, frame.done);
        present(client, swapchain, frame, index, times);
        read_ends.join();
        require(test::wait_and_reset(client.device, frame.done), "vkWaitForFences");
        require(compositor.wait_for_commits(swapchain.images.size() + i + 1),
                "a commit did not arrive");
    }
    times.print();
}

void run(int argc, char** argv) {
    std::unique_ptr<test::FakeModule> module;
    int next = 1;
    if (next < argc && std::string_view(argv[next]) == "--fake-module") {
        module = std::make_unique<test::FakeModule>();
        ++next;
    }
    require(argc - next >= 2, "usage: bench_calls [--fake-module] frames|times|pending N [MS]");
    const std::string_view what = argv[next];
    const size_t count = std::strtoull(argv[next + 1], nullptr, 10);
    require(what != "pending" || argc - next >= 3, "pending for how long?");

    test::Script script;
    script.globals.syncobj = 1; // for FENCEBRIDGE_SYNC=explicit
    if (what == "pending")
        script.release = test::Release::manual;
    test::Compositor compositor(script);
    test::Client client(compositor);
    if (what == "frames")
        show_frames(client, count);
    else if (what == "times")
        time_frames(compositor, client, count);
    else if (what == "pending")
        time_pending(compositor, client, count,
                     std::chrono::milliseconds(std::strtol(argv[next + 2], nullptr, 10)));
    else
        give_up("neither frames nor times nor pending");
}

} // namespace
} // namespace fencebridge::bench

int main(int argc, char** argv) {
    fencebridge::test::prepare_environment();
    fencebridge::bench::run(argc, argv);
}
