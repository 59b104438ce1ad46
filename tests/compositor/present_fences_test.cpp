// SPDX-License-Identifier: MIT
// Invariants 3, 4 and 5 on real dma-bufs: which fences the compositor finds on a buffer when the
// buffer is committed.
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

namespace fencebridge::test {
namespace {

class PresentFences : public FencesTest {
protected:
    void SetUp() override {
        FencesTest::SetUp();
        fake_driver().hold_rendering(VK_TRUE);
    }

    // Creates a swapchain whose images have all been shown, with no rendering held.
    static Swapchain shown_swapchain(Client& client) {
        fake_driver().hold_rendering(VK_FALSE);
        Swapchain swapchain = client.swapchain();
        EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        fake_driver().hold_rendering(VK_TRUE);
        return swapchain;
    }
};

TEST_F(PresentFences, TheRequestedTransportIsUsed) {
    ErrorLog log;
    Client client(start());
    Swapchain swapchain = client.swapchain();
    EXPECT_EQ(
        log.lines_with({"fencebridge: info: swapchain", "transport=" + transport() + " "}).size(),
        1u)
        << log.text();
}

// Present returns and the commit arrives while the rendering is unfinished, so neither waits for
// it.
TEST_F(PresentFences, TheCommittedBufferIsPendingUntilTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    for (int frame = 0; frame < 5; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        ASSERT_EQ(compositor.commits(), size_t(frame + 1));
        size_t commit = size_t(frame);
        EXPECT_FALSE(might_read_at_once(commit));
        EXPECT_FALSE(may_read(commit));
        ASSERT_TRUE(fake_driver().release_one());
        EXPECT_TRUE(may_read(commit));
    }
}

TEST_F(PresentFences, TheCommittedBufferIsPendingUntilEveryWaitSemaphoreSignals) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered[] = {make_semaphore(client.device), make_semaphore(client.device)};
    const uint32_t index = client.acquire_and_render(swapchain, rendered[0]);
    client.renderer.submit_elsewhere({rendered[1]});
    ASSERT_EQ(client.present_after(swapchain, index, {rendered[0], rendered[1]}), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 1u);
    EXPECT_FALSE(might_read_at_once(0));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_FALSE(may_read(0));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(may_read(0));
}

TEST_F(PresentFences, EveryBufferOfOnePresentCallIsPendingUntilTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client(compositor);
    const SecondWindow second(client);
    Swapchain swapchains[] = {client.swapchain(), Swapchain(client.device, second.surface)};
    Presented both[] = {{swapchains[0], client.acquire(swapchains[0]).index},
                        {swapchains[1], client.acquire(swapchains[1]).index}};
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    client.renderer.submit({}, {rendered});
    ASSERT_EQ(present_together(client.device.queue, both, {rendered}), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 2u);
    for (size_t i = 0; i < 2; ++i) {
        EXPECT_FALSE(might_read_at_once(i)) << i;
        EXPECT_FALSE(may_read(i)) << i;
    }
    ASSERT_TRUE(fake_driver().release_one());
    for (size_t i = 0; i < 2; ++i)
        EXPECT_TRUE(may_read(i)) << i;
}

// VkSwapchainPresentFenceInfoKHR: "Fences associated with presentations to the same swapchain on
// the same VkQueue must be signaled in the same order as the present operations."
TEST_F(PresentFences, TheVkFencesOfPresentsSignalInTheOrderOfThePresents) {
    Compositor& compositor = start();
    Client client(compositor.connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME});
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> slow = make_semaphore(client.device);
    Owned<VkSemaphore> quick = make_semaphore(client.device);
    VkFence fence = VK_NULL_HANDLE;
    VkSwapchainPresentFenceInfoEXT info{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT};
    info.swapchainCount = 1;
    info.pFences = &fence;
    const auto present_with = [&](VkFence signalled, VkSemaphore wait) {
        fence = signalled;
        return present(client.device.queue, swapchain, client.acquire(swapchain).index, {wait},
                       &info);
    };
    Owned<VkFence> fences[] = {make_fence(client.device), make_fence(client.device)};
    for (int round = 0; round < 3; ++round) {
        client.renderer.submit({}, {slow});
        client.renderer.signal_elsewhere(quick);
        ASSERT_EQ(present_with(fences[0], slow), VK_SUCCESS);
        ASSERT_EQ(present_with(fences[1], quick), VK_SUCCESS);
        const size_t commits = compositor.commits();
        EXPECT_EQ(commits, size_t(2 * round + 2));
        EXPECT_TRUE(may_read(commits - 1)) << "the order concerns the VkFences alone";
        for (VkFence each : fences)
            EXPECT_EQ(vkGetFenceStatus(client.device, each), VK_NOT_READY);
        ASSERT_TRUE(fake_driver().release_one());
        for (VkFence each : fences)
            EXPECT_TRUE(wait_and_reset(client.device, each));
    }
}

// The call presents to a swapchain of the layer's and to one of the driver's. A semaphore can be
// waited for once, and the layer does that. The driver's part has to wait on the CPU.
TEST_F(PresentFences, AMixedPresentCallReachesTheDriverAfterTheRendering) {
    Compositor& compositor = start();
    Compositor without_dmabuf({.globals = {.dmabuf = 0}});
    Client client(compositor);
    App app(without_dmabuf);
    Owned<wl_surface*> window = app.new_surface();
    Owned<VkSurfaceKHR> surface = make_surface(client.instance, app, window);
    Swapchain ours = client.swapchain();
    Swapchain drivers(client.device, surface,
                      {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR});
    ASSERT_EQ(drivers.result, VK_SUCCESS);
    ASSERT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 1u);
    Presented both[] = {{drivers, client.acquire(drivers).index},
                        {ours, client.acquire(ours).index}};
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    client.renderer.submit({}, {rendered});
    VkResult result = VK_ERROR_UNKNOWN;
    bool waited = run_and_see_whether_it_waits(
        [&] { result = present_together(client.device.queue, both, {rendered}); },
        [&] {
            EXPECT_EQ(fake_driver().call_count("vkQueuePresentKHR"), 0u);
            EXPECT_EQ(compositor.commits(), 1u) << "the layer's swapchain has to wait for nothing";
            EXPECT_FALSE(may_read(0));
            EXPECT_TRUE(fake_driver().release_one());
        });
    EXPECT_TRUE(waited);
    EXPECT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(both[0].result, VK_SUCCESS);
    EXPECT_EQ(both[1].result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkQueuePresentKHR"), 1u);
    EXPECT_TRUE(may_read(0));
}

TEST_F(PresentFences, FinishedRenderingLeavesTheBufferReady) {
    fake_driver().hold_rendering(VK_FALSE);
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    for (int frame = 0; frame < 5; ++frame) {
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_TRUE(might_read_at_once(size_t(frame)));
    }
    vkDeviceWaitIdle(client.device);
}

// Present attaches the rendering as a writer. The fences of readers stay on the buffer beside it.
TEST_F(PresentFences, PresentKeepsTheFencesOfReadersOnTheBuffer) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = shown_swapchain(client);
    BufferId buffer = *compositor.commit_at(0).buffer;
    Fd dma_buf = compositor.dma_buf_of(buffer);
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    ASSERT_TRUE(attach_read_fence(dma_buf.get(), reader.get()));
    compositor.release(buffer);
    Owned<VkSemaphore> acquired = make_semaphore(client.device);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    auto [result, index] = acquire(client.device, swapchain, forever, acquired);
    ASSERT_EQ(result, VK_SUCCESS);
    // This rendering does not wait for the reader.
    client.renderer.submit({}, {rendered});
    ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    compositor.settle();
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(write_fences_signalled(dma_buf.get()));
    EXPECT_FALSE(all_fences_signalled(dma_buf.get()));
    timeline.advance();
    EXPECT_TRUE(all_fences_signalled(dma_buf.get()));
}

// In every frame the compositor releases the buffer while it still reads it, the application
// renders after the read, and the compositor reads after the rendering.
TEST_F(PresentFences, ReadingAndRenderingAreOrderedByFencesAlone) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = shown_swapchain(client);
    BufferId buffer = *compositor.commit_at(0).buffer;
    FenceTimeline timeline;
    Owned<VkSemaphore> acquired = make_semaphore(client.device);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    for (int frame = 0; frame < 20; ++frame) {
        Fd reader = timeline.fence();
        release_with_readers(buffer, {&reader});
        auto [result, index] = acquire(client.device, swapchain, forever, acquired);
        ASSERT_EQ(result, VK_SUCCESS);
        client.renderer.submit({acquired}, {rendered});
        ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        size_t commit = compositor.commits() - 1;
        EXPECT_FALSE(might_read_at_once(commit));
        ASSERT_TRUE(fake_driver().release_one());
        EXPECT_FALSE(may_read(commit)) << "rendered while still being read";
        timeline.advance();
        ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        EXPECT_TRUE(may_read(commit));
    }
}

} // namespace
} // namespace fencebridge::test
