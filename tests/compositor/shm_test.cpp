// SPDX-License-Identifier: MIT
// Images in shared memory (wl_shm), which carries no fences: the layer shows an image when its
// rendering has ended, and vkQueuePresentKHR does not wait for that. Invariants 3, 4, 6, 7 and 10,
// on drivers with and without SYNC_FD.
#include "aliases.hpp"
#include "allocator_setting.hpp"
#include "shared_memory.hpp"
#include "who_waits.hpp"

#include "driver/environment_variable.hpp"
#include "fake_driver/control.hpp"
#include "vk/newer_headers.hpp"

#include <dlfcn.h>
#include <drm_fourcc.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

namespace fencebridge::test {
namespace {

std::atomic<bool> threads_fail = false; // pthread_create() of the layer

class SharedMemory : public SharedMemoryTest, public testing::WithParamInterface<bool> {
protected:
    void SetUp() override {
        SharedMemoryTest::SetUp();
        if (!GetParam())
            hide_sync_fd();
    }
};

INSTANTIATE_TEST_SUITE_P(, SharedMemory, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "SyncFd" : "NoSyncFd"; });

TEST_P(SharedMemory, ACompositorWithoutLinuxDmabufShowsTheImages) {
    ErrorLog log;
    Compositor& compositor = start({.globals = {.dmabuf = 0}});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.extent = {30, 20}});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    ASSERT_TRUE(compositor.wait_for_commits(1));
    const Commit commit = compositor.last_commit();
    EXPECT_TRUE(commit.shm);
    EXPECT_EQ(commit.width, 30);
    EXPECT_EQ(commit.height, 20);
    EXPECT_EQ(commit.format, uint32_t(WL_SHM_FORMAT_XRGB8888));
    EXPECT_EQ(log.lines_with({"info: swapchain", "allocator=host-pointer", "transport=cpu",
                              "carries no fences"})
                  .size(),
              1u)
        << log.text();
}

TEST_P(SharedMemory, TheAlphaChannelIsShownIfItIsToBeUsed) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain =
        client.swapchain({.alpha = VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR});
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    ASSERT_TRUE(compositor.wait_for_commits(1));
    EXPECT_EQ(compositor.last_commit().format, uint32_t(WL_SHM_FORMAT_ARGB8888));
}

// Invariants 3 and 4.
TEST_P(SharedMemory, TheCommitFollowsTheEndOfTheRendering) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    std::atomic<uint32_t> held_at_commit = 0;
    compositor.on_thread([&](Scene& scene) {
        scene.on_commit([&](const Commit&) { held_at_commit += fake_driver().held_batches(); });
    });
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    for (size_t frame = 1; frame <= 4; ++frame) {
        show(client, swapchain, rendered); // does not wait for the rendering
        EXPECT_FALSE(compositor.wait_for_commits(frame, short_while));
        ASSERT_TRUE(finish_rendering());
        ASSERT_TRUE(compositor.wait_for_commits(frame));
    }
    EXPECT_EQ(held_at_commit, 0u);
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
    compositor.on_thread([](Scene& scene) { scene.on_commit({}); });
}

TEST_P(SharedMemory, TheCommitsAreInTheOrderOfThePresents) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered[] = {make_semaphore(client.device),
                                           make_semaphore(client.device),
                                           make_semaphore(client.device)};
    for (const auto& each : rendered)
        show(client, swapchain, each);
    EXPECT_EQ(compositor.commits(), 0u);
    for (size_t frame = 1; frame <= 3; ++frame) {
        ASSERT_TRUE(finish_rendering());
        ASSERT_TRUE(compositor.wait_for_commits(frame));
    }
    const auto buffers = compositor.on_thread([](Scene& scene) {
        return std::vector{*scene.commits()[0].buffer, *scene.commits()[1].buffer,
                           *scene.commits()[2].buffer};
    });
    EXPECT_NE(buffers[0], buffers[1]);
    EXPECT_NE(buffers[1], buffers[2]);
    vkDeviceWaitIdle(client.device);
}

// The rendering of the second present ends first.
TEST_P(SharedMemory, APresentWhoseRenderingEndsEarlierDoesNotOvertake) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.extent = {64, 64}});
    fake_driver().hold_rendering(VK_TRUE);
    const auto slow = make_semaphore(client.device);
    const auto quick = make_semaphore(client.device);
    const uint32_t first = client.acquire_and_render(swapchain, slow);
    ASSERT_EQ(present(client.device.queue, swapchain, first, {slow}), VK_SUCCESS);
    const auto [result, second] = client.acquire(swapchain);
    ASSERT_EQ(result, VK_SUCCESS);
    client.renderer.signal_elsewhere(quick);
    ASSERT_EQ(present(client.device.other_queue, swapchain, second, {quick}), VK_SUCCESS);
    ASSERT_TRUE(fake_driver().release_newest());
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    ASSERT_TRUE(finish_rendering());
    EXPECT_TRUE(compositor.wait_for_commits(2));
    vkDeviceWaitIdle(client.device);
}

// Invariant 10.
TEST_P(SharedMemory, AnImageIsAcquiredAgainWhenTheCompositorReleasesIt) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    for (int frame = 0; frame < 50; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_TRUE(compositor.wait_for_commits(50));
}

TEST_P(SharedMemory, APresentReportsItsIdWhenTheImageIsShown) {
    Compositor& compositor =
        start({.globals = {.presentation = 1}, .presentation = Presentation::presented});
    Client client(compositor.connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME,
                   VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
    const auto wait = reinterpret_cast<PFN_vkWaitForPresentKHR>(
        vkGetDeviceProcAddr(client.device, "vkWaitForPresentKHR"));
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint64_t id = 1;
    const VkPresentIdKHR ids{VK_STRUCTURE_TYPE_PRESENT_ID_KHR, nullptr, 1, &id};
    show(client, swapchain, rendered, &ids);
    EXPECT_EQ(wait(client.device, swapchain, id, 0), VK_TIMEOUT);
    std::thread waiting(
        [&] { EXPECT_EQ(wait(client.device, swapchain, id, forever), VK_SUCCESS); });
    ASSERT_TRUE(finish_rendering());
    waiting.join();
    vkDeviceWaitIdle(client.device);
}

TEST_P(SharedMemory, TheDamageIsThatOfThePresent) {
    Compositor& compositor = start();
    Client client(compositor.connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME});
    const Swapchain swapchain = client.swapchain();
    const auto rendered = make_semaphore(client.device);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_TRUE(compositor.wait_for_commits(1));
    fake_driver().hold_rendering(VK_TRUE);
    {
        VkRectLayerKHR rectangle{{1, 2}, {3, 4}, 0};
        const VkPresentRegionKHR region{1, &rectangle};
        const VkPresentRegionsKHR regions{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 1,
                                          &region};
        show(client, swapchain, rendered, &regions);
        rectangle = {}; // the application's memory is not used after the call
    }
    ASSERT_TRUE(finish_rendering());
    ASSERT_TRUE(compositor.wait_for_commits(2));
    EXPECT_EQ(compositor.last_commit().damage, (Region{{1, 2, 3, 4}}));
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

TEST_P(SharedMemory, FifoWaitsForTheLastImageToBeShown) {
    Compositor& compositor = start({.refresh = Refresh::manual});
    Client client(compositor);
    const Swapchain swapchain =
        client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .min_images = 4});
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const auto next_rendered = make_semaphore(client.device);
    // The second present of a swapchain waits in other modes, too; the fourth in FIFO alone.
    for (const size_t frame : {1u, 3u}) {
        show(client, swapchain, rendered);
        const uint32_t next = client.acquire_and_render(swapchain, next_rendered);
        std::thread presenting(
            [&] { EXPECT_EQ(client.present_after(swapchain, next, {next_rendered}), VK_SUCCESS); });
        EXPECT_FALSE(compositor.wait_for_commits(frame, short_while));
        EXPECT_TRUE(finish_rendering());
        EXPECT_TRUE(compositor.wait_for_commits(frame));
        // The rendering of the next one ends, and the callback is missing.
        EXPECT_TRUE(finish_rendering());
        EXPECT_FALSE(compositor.wait_for_commits(frame + 1, short_while));
        compositor.refresh();
        presenting.join();
        ASSERT_TRUE(compositor.wait_for_commits(frame + 1));
        compositor.refresh();
    }
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

TEST_P(SharedMemory, TheImagesOfANewSwapchainComeAfterThoseOfTheOld) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain old = client.swapchain({.extent = {10, 10}});
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    show(client, old, rendered);
    std::atomic<bool> created = false;
    Swapchain replaced;
    std::thread creating([&] {
        replaced = client.swapchain({.extent = {20, 20}, .old = old});
        created = true;
    });
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    EXPECT_FALSE(created);
    fake_driver().hold_rendering(VK_FALSE);
    creating.join();
    ASSERT_EQ(replaced.result, VK_SUCCESS);
    ASSERT_EQ(client.frame(replaced), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    ASSERT_TRUE(compositor.wait_for_commits(2));
    EXPECT_EQ(compositor.commit_at(0).width, 10);
    EXPECT_EQ(compositor.commit_at(1).width, 20);
}

// The application waits for its own rendering, and not for the layer's commands after it.
TEST_P(SharedMemory, ADestructionWaitsForTheLayersUseOfTheImages) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    show(client, swapchain, rendered);
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(run_and_see_whether_it_waits([&] { swapchain.handle.reset(); },
                                             [] { EXPECT_TRUE(fake_driver().release_one()); }));
    EXPECT_EQ(compositor.commits(), 1u);
    vkDeviceWaitIdle(client.device);
}

// The last frame of a window is not lost.
TEST_P(SharedMemory, ADestroyedSwapchainShowsTheImagesWhoseRenderingHasEnded) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const Owned<VkSemaphore> rendered[] = {make_semaphore(client.device),
                                           make_semaphore(client.device)};
    for (const auto& each : rendered)
        show(client, swapchain, each);
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
    swapchain.handle.reset();
    compositor.settle();
    EXPECT_EQ(compositor.commits(), 2u);
}

// wl_display_read_events() waits for all threads that have prepared to read.
TEST_P(SharedMemory, APreparedReadOfTheApplicationsDoesNotBlockADestruction) {
    Compositor& compositor = start();
    Client client(compositor);
    for (int i = 0; i < 20; ++i) {
        Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
        fake_driver().hold_rendering(VK_TRUE);
        const auto rendered = make_semaphore(client.device);
        show(client, swapchain, rendered);
        while (wl_display_prepare_read(client.app.display()) != 0)
            wl_display_dispatch_pending(client.app.display());
        fake_driver().hold_rendering(VK_FALSE);
        vkDeviceWaitIdle(client.device);
        swapchain.handle.reset();
        wl_display_cancel_read(client.app.display());
    }
}

// Invariant 7.
TEST_P(SharedMemory, ALostConnectionEndsAcquireAndPresent) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    show(client, swapchain, rendered);
    const auto [result, index] = client.acquire(swapchain);
    ASSERT_EQ(result, VK_SUCCESS);
    compositor.disconnect_clients();
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
    // The read that notices it is that of a call of the application's.
    VkResult acquired = VK_SUCCESS;
    for (size_t i = 0; acquired == VK_SUCCESS && i < swapchain.images.size(); ++i)
        acquired = client.acquire(swapchain).result;
    EXPECT_EQ(acquired, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(client.present(swapchain, index), VK_ERROR_SURFACE_LOST_KHR);
}

// Invariant 4: memory that cannot be fenced is not a reason for a thread if nothing is pending.
TEST_P(SharedMemory, TheThreadExistsWhileASwapchainWithPendingRenderingDoes) {
    Compositor& compositor = start();
    Client client(compositor);
    {
        const Swapchain swapchain = client.swapchain();
        const auto rendered = make_semaphore(client.device);
        show(client, swapchain, rendered);
        EXPECT_EQ(compositor.commits(), 1u);
        EXPECT_TRUE(layer_threads().empty());
        fake_driver().hold_rendering(VK_TRUE);
        show(client, swapchain, rendered);
        ASSERT_EQ(layer_threads().size(), 1u);
        const std::filesystem::path thread = layer_threads().front();
        // Until it runs, the C library has blocked all signals.
        while (!sleeps(std::stoi(thread.filename())))
            std::this_thread::yield();
        std::ifstream status(thread / "status");
        uint64_t blocked = 0;
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("SigBlk:"))
                blocked = std::stoull(line.substr(7), nullptr, 16);
        // Not those that the thread causes itself, nor those that cannot be blocked.
        const std::set not_blocked = {SIGSYS, SIGSEGV, SIGBUS,  SIGFPE,
                                      SIGILL, SIGTRAP, SIGKILL, SIGSTOP};
        for (int signal = 1; signal < 32; ++signal)
            EXPECT_EQ(blocked >> (signal - 1) & 1, not_blocked.contains(signal) ? 0u : 1u)
                << signal;
        fake_driver().hold_rendering(VK_FALSE);
        vkDeviceWaitIdle(client.device);
    }
    EXPECT_TRUE(layer_threads().empty());
}

TEST_P(SharedMemory, WithoutTheThreadAPresentWaits) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    ErrorLog log;
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    std::atomic<bool> presented = false;
    std::thread presenting([&] {
        threads_fail = true;
        EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        threads_fail = false;
        presented = true;
    });
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    EXPECT_FALSE(presented);
    ASSERT_TRUE(finish_rendering());
    presenting.join();
    EXPECT_TRUE(compositor.wait_for_commits(1));
    static size_t lines = 0; // of each value of the parameter: the process has one in all
    lines += log.lines_with({"pthread_create", "waits"}).size();
    EXPECT_EQ(lines, 1u) << log.text();
    EXPECT_TRUE(layer_threads().empty());
    vkDeviceWaitIdle(client.device);
}

// The setting is for toolkits whose requests must not come between a present and its commit.
TEST_P(SharedMemory, WithTheSettingCpuTheCommitIsThereWhenThePresentReturns) {
    setenv("FENCEBRIDGE_SYNC", "cpu", 1);
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    unsetenv("FENCEBRIDGE_SYNC");
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    for (size_t frame = 1; frame <= 4; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        EXPECT_TRUE(run_and_see_whether_it_waits(
            [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); },
            [&] {
                compositor.settle();
                EXPECT_EQ(compositor.commits(), frame - 1);
                EXPECT_TRUE(finish_rendering());
            }));
        EXPECT_TRUE(layer_threads().empty());
        compositor.settle();
        EXPECT_EQ(compositor.commits(), frame);
    }
    EXPECT_EQ(
        log.lines_with({"info: swapchain", "transport=cpu", "vkQueuePresentKHR waits"}).size(), 1u)
        << log.text();
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

// --- drivers without SYNC_FD ---

class NoSyncFd : public SharedMemoryTest {
protected:
    void SetUp() override {
        SharedMemoryTest::SetUp();
        hide_sync_fd();
    }
};

// An image that was never committed is never released.
TEST_F(NoSyncFd, ALostDeviceEndsAWaitForAnImage) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    std::vector<Owned<VkSemaphore>> rendered;
    for (size_t i = 0; i < swapchain.images.size(); ++i)
        show(client, swapchain, rendered.emplace_back(make_semaphore(client.device)));
    constexpr uint64_t patience = std::chrono::nanoseconds(Compositor::patience).count();
    EXPECT_TRUE(run_and_see_whether_it_waits(
        [&] { EXPECT_EQ(client.acquire(swapchain, patience).result, VK_ERROR_DEVICE_LOST); },
        [] { fake_driver().fail_call("vkWaitForFences", 1, VK_ERROR_DEVICE_LOST); }));
    EXPECT_EQ(compositor.commits(), 0u);
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

// Lack of memory says nothing about the rendering.
TEST_F(NoSyncFd, AFailedQueryOfTheRenderingIsNotItsEnd) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    // Now the thread exists: a present that creates it may sleep for a moment.
    show(client, swapchain, rendered);
    ASSERT_TRUE(finish_rendering());
    ASSERT_TRUE(compositor.wait_for_commits(1));
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    fake_driver().fail_call("vkGetFenceStatus", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_FALSE(run_and_see_whether_it_waits(
        [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); },
        [] { EXPECT_TRUE(finish_rendering()); }));
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(compositor.wait_for_commits(2));
    vkDeviceWaitIdle(client.device);
}

TEST_F(NoSyncFd, AWaitThatRunsOutOfMemoryIsRepeated) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    ErrorLog log;
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    for (const uint32_t nth : {1u, 2u})
        fake_driver().fail_call("vkWaitForFences", nth, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(compositor.wait_for_commits(1));
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
    EXPECT_EQ(log.lines_with({"vkWaitForFences", "waiting again"}).size(), 1u) << log.text();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

TEST_F(NoSyncFd, AWaitEndsIfTheDriverStaysOutOfMemory) {
    const EnvironmentVariable cpu{"FENCEBRIDGE_SYNC", "cpu"};
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    for (uint32_t nth = 1; nth <= 100; ++nth)
        fake_driver().fail_call("vkWaitForFences", nth, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_ERROR_DEVICE_LOST);
    fake_driver().clear_failures();
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

TEST_F(NoSyncFd, NoObjectIsMadeForTheExportOfASyncFd) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    for (int frame = 0; frame < 20; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(fake_driver().exported_sync_fds(), 0u);
    EXPECT_EQ(fake_driver().call_count("vkQueueWaitIdle"), 0u);
    // The fences are used again.
    EXPECT_LE(fake_driver().call_count("vkCreateFence"), 20u);
}

// A window whose images carry no fences neither: they are dma-bufs, with the transport `cpu`.
TEST_F(NoSyncFd, WithDmaBufsAPresentWaitsForItsOwnRendering) {
    may_use_shm_ = false;
    fake_driver().reset();
    hide_sync_fd();
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    std::thread presenting(
        [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    ASSERT_TRUE(fake_driver().release_one());
    presenting.join();
    EXPECT_EQ(compositor.commits(), 1u);
    EXPECT_EQ(fake_driver().call_count("vkQueueWaitIdle"), 0u);
    EXPECT_TRUE(layer_threads().empty());
    vkDeviceWaitIdle(client.device);
}

// --- what the compositor reads ---

struct Source {
    const char* allocator;
    VkPhysicalDeviceType type;
    bool prefers_dedicated = false;
    friend void PrintTo(const Source& source, std::ostream* out) { *out << source.allocator; }
};

class SharedMemoryFrom : public SharedMemoryTest, public testing::WithParamInterface<Source> {
protected:
    void SetUp() override {
        SharedMemoryTest::SetUp();
        fake_driver().set_device_type(0, GetParam().type);
        fake_driver().set_dedicated(0, GetParam().prefers_dedicated, VK_FALSE);
        fake_driver().set_host_pointer_alignment(0, 65536);
    }

    // Submits commands that fill an image, and returns the bytes of a pixel.
    static std::vector<uint8_t> fill(Client& client, VkCommandPool pool, VkImage image,
                                     uint32_t number, VkSemaphore rendered) {
        VkCommandBuffer commands = begin_commands(client.device, pool);
        change_layout(commands, image, VK_IMAGE_LAYOUT_UNDEFINED,
                      VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        const auto red = uint8_t(10 + number);
        VkClearColorValue colour{};
        colour.float32[0] = float(red) / 255;
        colour.float32[3] = 1;
        const VkImageSubresourceRange all = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
        vkCmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                             &all);
        change_layout(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                      VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        EXPECT_EQ(vkEndCommandBuffer(commands), VK_SUCCESS);
        VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
        info.commandBufferCount = 1;
        info.pCommandBuffers = &commands;
        info.signalSemaphoreCount = 1;
        info.pSignalSemaphores = &rendered;
        EXPECT_EQ(vkQueueSubmit(client.device.queue, 1, &info, VK_NULL_HANDLE), VK_SUCCESS);
        return {0, 0, red, 255};
    }
};

INSTANTIATE_TEST_SUITE_P(
    , SharedMemoryFrom,
    testing::Values(Source{"host-pointer", VK_PHYSICAL_DEVICE_TYPE_CPU},
                    Source{"host-pointer", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, true},
                    Source{"copy-host-pointer", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
                    Source{"copy-host-pointer", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, true}),
    [](const auto& row) {
        std::string name = row.param.allocator;
        std::erase(name, '-');
        return name + (row.param.prefers_dedicated ? "Dedicated" : "");
    });

TEST_P(SharedMemoryFrom, TheCompositorReadsWhatTheApplicationHasDrawn) {
    fake_driver().set_executes_commands(VK_TRUE);
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(
        {.extent = {65, 33},
         .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, GetParam().allocator), 1u) << log.text();
    std::mutex mutex;
    std::vector<std::vector<uint8_t>> read;
    compositor.on_thread([&](Scene& scene) {
        scene.on_commit([&](const Commit& commit) {
            const size_t end = size_t(scene.stride(*commit.buffer)) * 32 + 65 * 4;
            const std::vector<uint8_t> bytes = scene.first_bytes(*commit.buffer, end);
            std::lock_guard lock(mutex);
            read.emplace_back(bytes.end() - 4, bytes.end()); // the last pixel
        });
    });
    VkCommandPoolCreateInfo info{VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkCommandPool pool = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateCommandPool(client.device, &info, nullptr, &pool), VK_SUCCESS);
    const auto rendered = make_semaphore(client.device);
    std::vector<std::vector<uint8_t>> drawn;
    const uint64_t releases = fake_driver().host_releases();
    for (uint32_t frame = 0; frame < 9; ++frame) {
        const auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        drawn.push_back(fill(client, pool, swapchain.images[index], frame, rendered));
        ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        ASSERT_TRUE(compositor.wait_for_commits(frame + 1));
        EXPECT_EQ(fake_driver().host_releases(), releases + frame + 1);
    }
    compositor.on_thread([](Scene& scene) { scene.on_commit({}); });
    EXPECT_EQ(read, drawn);
    vkDeviceWaitIdle(client.device);
    vkDestroyCommandPool(client.device, pool, nullptr);
}

// The memory is not imported again: a driver need not import the same host memory twice.
TEST_P(SharedMemoryFrom, AnImageOfTheApplicationsIsBoundToTheMemoryOfOne) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    const uint64_t allocations = fake_driver().call_count("vkAllocateMemory");
    std::vector<Owned<VkImage>> aliases;
    for (uint32_t index = 0; index < swapchain.images.size(); ++index)
        aliases.push_back(make_alias(client.device, swapchain, index));
    EXPECT_EQ(fake_driver().call_count("vkAllocateMemory"), allocations);
    EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
}

// A driver may render to LINEAR images for fewer usages than to others.
TEST_F(NoSyncFd, ImagesThatTheLinearFeaturesDoNotAllowAreCopied) {
    fake_driver().set_linear_features(0, 0x1dc03); // NVIDIA's
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-host-pointer"), 1u) << log.text();
    EXPECT_TRUE(compositor.wait_for_commits(swapchain.images.size()));
}

// amdgpu imports no memory of a file. The trial of the surface's first query finds that out.
TEST_F(NoSyncFd, ADriverThatImportsNoMemoryOfAFilePresentsItself) {
    for (const uint32_t nth : {1u, 2u})
        fake_driver().fail_call("vkAllocateMemory", nth, VK_ERROR_UNKNOWN);
    ErrorLog log;
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 1u);
    EXPECT_EQ(log.lines_with({"warning", "accepted no buffer of this device"}).size(), 1u)
        << log.text();
}

// --- modes that share the image ---

// The queue of a DeferredPresenter is longer than the number of images.
TEST_F(NoSyncFd, ASharedImageIsCommittedForEachPresent) {
    fake_driver().add_device_extension(0, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
    Compositor& compositor = start({.shares_buffers = true});
    Client client(
        compositor.connect(), {},
        {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME});
    const Swapchain swapchain =
        client.swapchain({.mode = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR, .min_images = 1});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    ASSERT_EQ(client.acquire(swapchain).result, VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    std::vector<Owned<VkSemaphore>> rendered;
    for (int i = 0; i < 3; ++i) {
        client.renderer.submit({}, {rendered.emplace_back(make_semaphore(client.device))});
        ASSERT_EQ(client.present_after(swapchain, 0, {rendered.back()}), VK_SUCCESS);
    }
    EXPECT_EQ(compositor.commits(), 0u);
    for (size_t frame = 1; frame <= 3; ++frame) {
        ASSERT_TRUE(finish_rendering());
        ASSERT_TRUE(compositor.wait_for_commits(frame));
    }
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

// --- formats ---

constexpr FakeDriverModifier linear_for_ten_bits() {
    return {.modifier = DRM_FORMAT_MOD_LINEAR,
            .plane_count = 1,
            .pitch_alignment = 256,
            .pitch_shift = {},
            .features = VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BIT |
                        VK_FORMAT_FEATURE_COLOR_ATTACHMENT_BLEND_BIT |
                        VK_FORMAT_FEATURE_TRANSFER_SRC_BIT,
            .importable = VK_TRUE,
            .exportable = VK_TRUE,
            .dedicated_only = VK_FALSE,
            .aliasable = VK_TRUE};
}

class SharedMemoryFormats : public SharedMemoryTest {
protected:
    static bool has_ten_bits(Client& client) {
        uint32_t count = 0;
        vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                             nullptr);
        std::vector<VkSurfaceFormatKHR> formats(count);
        vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                             formats.data());
        return std::ranges::any_of(formats, [](const VkSurfaceFormatKHR& each) {
            return each.format == VK_FORMAT_A2R10G10B10_UNORM_PACK32;
        });
    }
    void SetUp() override {
        SharedMemoryTest::SetUp();
        const FakeDriverModifier linear = linear_for_ten_bits();
        fake_driver().set_format(0, VK_FORMAT_A2R10G10B10_UNORM_PACK32, 1, &linear);
    }
};

TEST_F(SharedMemoryFormats, AFormatThatWlShmDoesNotListIsNotOffered) {
    Client client(start({.globals = {.dmabuf = 0}}));
    EXPECT_FALSE(has_ten_bits(client));
}

TEST_F(SharedMemoryFormats, AFormatThatWlShmListsIsOffered) {
    Compositor& compositor =
        start({.globals = {.dmabuf = 0},
               .shm_formats = {WL_SHM_FORMAT_XRGB2101010, WL_SHM_FORMAT_ARGB2101010}});
    Client client(compositor);
    EXPECT_TRUE(has_ten_bits(client));
    const Swapchain swapchain = client.swapchain({.format = VK_FORMAT_A2R10G10B10_UNORM_PACK32});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    ASSERT_TRUE(compositor.wait_for_commits(1));
    EXPECT_EQ(compositor.last_commit().format, uint32_t(WL_SHM_FORMAT_XRGB2101010));
}

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before the C library's. For the name, see socket_reading_test.
extern "C" [[gnu::visibility("default")]] int
failing_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                       void* argument) asm("pthread_create");
extern "C" int failing_pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                      void* (*start)(void*), void* argument) {
    // The layer's thread is created with most signals blocked, the fake driver's ones are not.
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    if (fencebridge::test::threads_fail && sigismember(&blocked, SIGUSR1))
        return EAGAIN;
    static const auto next =
        reinterpret_cast<decltype(&failing_pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    return next(thread, attributes, start, argument);
}
