// SPDX-License-Identifier: MIT
// Several threads render to windows on one connection, which the application dispatches as well.
#include "channel.hpp"
#include "fixture.hpp"

#include <poll.h>

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr int frames_each = 300;

// One iteration of an application's main loop: waits for events and dispatches the default queue.
void dispatch_for(wl_display* display, std::chrono::milliseconds time) {
    while (wl_display_prepare_read(display) != 0)
        wl_display_dispatch_pending(display);
    wl_display_flush(display);
    pollfd request{wl_display_get_fd(display), POLLIN, 0};
    if (poll(&request, 1, int(time.count())) == 1)
        wl_display_read_events(display);
    else
        wl_display_cancel_read(display);
    wl_display_dispatch_pending(display);
}

class Threads : public CompositorTest, public testing::WithParamInterface<VkPresentModeKHR> {};

TEST_P(Threads, ThreadsWithTheirOwnDevicesRenderOnOneConnection) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    App app(compositor);
    Owned<VkInstance> instance = make_instance();
    constexpr size_t threads = 3;
    std::atomic<size_t> running = threads;
    std::vector<Owned<wl_surface*>> windows;
    for (size_t i = 0; i < threads; ++i)
        windows.push_back(app.new_surface());
    auto render = [&](size_t i) {
        Device device(instance);
        Owned<VkSurfaceKHR> surface = make_surface(instance, app, windows[i]);
        Renderer renderer(device);
        Swapchain swapchain(device, surface, {.mode = GetParam()});
        for (int frame = 0; frame < frames_each; ++frame)
            ASSERT_EQ(renderer.frame(swapchain), VK_SUCCESS);
        ASSERT_EQ(vkDeviceWaitIdle(device), VK_SUCCESS);
    };
    std::vector<std::thread> workers;
    for (size_t i = 0; i < threads; ++i)
        workers.emplace_back([&, i] {
            render(i);
            --running;
        });
    while (running > 0)
        dispatch_for(app.display(), std::chrono::milliseconds(10));
    for (std::thread& worker : workers)
        worker.join();
    for (uint32_t i = 0; i < threads; ++i)
        EXPECT_EQ(compositor.on_thread([=](Scene& s) { return s.commits_of(SurfaceId(i)); }),
                  size_t(frames_each));
    EXPECT_EQ(wl_display_get_error(app.display()), 0);
}

TEST_P(Threads, TwoThreadsOfOneDeviceRenderToTwoWindows) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    const SecondWindow second_window(client);
    Swapchain first = client.swapchain({.mode = GetParam()});
    Swapchain second(client.device, second_window.surface, {.mode = GetParam()});
    // A VkQueue is externally synchronised. Acquires from different swapchains need no lock.
    std::mutex queue;
    auto render = [&](const Swapchain& swapchain) {
        Owned<VkFence> fence = make_fence(client.device);
        for (int frame = 0; frame < frames_each; ++frame) {
            auto [result, index] =
                acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
            ASSERT_EQ(result, VK_SUCCESS);
            ASSERT_TRUE(wait_and_reset(client.device, fence));
            std::lock_guard lock(queue);
            ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        }
    };
    std::thread other([&] { render(second); });
    render(first);
    other.join();
    EXPECT_EQ(compositor.commits(), size_t(2 * frames_each));
}

TEST_P(Threads, OneThreadAcquiresWhileAnotherPresents) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = GetParam()});
    Channel<uint32_t> acquired;
    std::thread presenting([&] {
        for (int frame = 0; frame < frames_each; ++frame)
            EXPECT_EQ(client.present(swapchain, acquired.take()), VK_SUCCESS);
    });
    for (int frame = 0; frame < frames_each; ++frame) {
        auto [result, index] = client.acquire(swapchain);
        EXPECT_EQ(result, VK_SUCCESS);
        acquired.put(index);
    }
    presenting.join();
    EXPECT_EQ(compositor.commits(), size_t(frames_each));
}

TEST_P(Threads, TwoThreadsCreateAndDestroySwapchainsOfOneDevice) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    std::mutex queue;
    constexpr int windows_each = 40;
    auto come_and_go = [&] {
        for (int i = 0; i < windows_each; ++i) {
            const SecondWindow window(client);
            Swapchain swapchain(client.device, window.surface, {.mode = GetParam()});
            auto [result, index] = client.acquire(swapchain);
            ASSERT_EQ(result, VK_SUCCESS);
            std::lock_guard lock(queue);
            ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        }
    };
    std::thread other(come_and_go);
    come_and_go();
    other.join();
    EXPECT_EQ(compositor.commits(), size_t(2 * windows_each));
}

TEST_P(Threads, AWindowRendersWhileOthersAreCreatedAndDestroyed) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    Swapchain steady = client.swapchain({.mode = GetParam()});
    Owned<VkInstance> instance = make_instance();
    std::atomic<bool> done = false;
    std::thread others([&] {
        while (!done) {
            Device device(instance);
            Owned<wl_surface*> window = client.app.new_surface();
            Owned<VkSurfaceKHR> surface = make_surface(instance, client.app, window);
            Renderer renderer(device);
            Swapchain swapchain(device, surface, {.mode = GetParam()});
            for (int frame = 0; frame < 3; ++frame)
                ASSERT_EQ(renderer.frame(swapchain), VK_SUCCESS);
            ASSERT_EQ(vkDeviceWaitIdle(device), VK_SUCCESS);
        }
    });
    for (int frame = 0; frame < frames_each; ++frame)
        EXPECT_EQ(client.frame(steady), VK_SUCCESS);
    done = true;
    others.join();
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(, Threads,
                         testing::Values(VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR),
                         name_of_mode);

} // namespace
} // namespace fencebridge::test
