// SPDX-License-Identifier: MIT
// Invariants 1 and 3 on every transport, and who waits while a fence is pending: the queue, or the
// thread that calls.
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <algorithm>
#include <chrono>

namespace fencebridge::test {
namespace {

using Clock = std::chrono::steady_clock;

class HeldFences : public FencesTest {
protected:
    static bool waits_on_the_cpu() { return transport() == "cpu"; }

    // Presents unfinished rendering, and expects that the compositor does not read it before it is
    // done.
    void expect_no_early_read(bool present_waits);
};

TEST_F(HeldFences, AcquireItselfWaitsForAReaderOnlyWithTheCpuTransport) {
    constexpr int rounds = 51;
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    BufferId buffer = *compositor.commit_at(0).buffer;
    Owned<VkFence> fence = make_fence(client.device);
    Owned<VkFence> waited_for = make_fence(client.device);
    Owned<VkSemaphore> semaphore = make_semaphore(client.device);
    FenceTimeline timeline;
    std::vector<Clock::duration> durations;
    for (int round = 0; round < rounds; ++round) {
        Fd reader = timeline.fence();
        release_with_readers(buffer, {&reader});
        compositor.settle();
        Acquired acquired{};
        Clock::duration took{};
        bool waited = run_and_see_whether_it_waits(
            [&] {
                Clock::time_point before = Clock::now();
                acquired = acquire(client.device, swapchain, forever, semaphore, fence);
                took = Clock::now() - before;
            },
            [&] { timeline.advance(); });
        ASSERT_EQ(acquired.result, VK_SUCCESS);
        EXPECT_EQ(waited, waits_on_the_cpu());
        client.renderer.submit_no_work({semaphore}, waited_for);
        if (!waited) {
            durations.push_back(took);
            EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
            EXPECT_EQ(vkGetFenceStatus(client.device, waited_for), VK_NOT_READY);
            timeline.advance();
        }
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        EXPECT_TRUE(wait_and_reset(client.device, waited_for));
        ASSERT_EQ(client.present(swapchain, acquired.index), VK_SUCCESS);
        compositor.settle();
    }
    if (!waits_on_the_cpu()) {
        ASSERT_EQ(durations.size(), size_t(rounds));
        std::ranges::nth_element(durations, durations.begin() + rounds / 2);
        EXPECT_LT(durations[rounds / 2], std::chrono::milliseconds(1));
    }
}

// With `cpu`, acquire waits for fences and for the end of the connection together.
TEST_F(HeldFences, AnAcquireThatWaitsForFencesFailsWhenTheCompositorDisconnects) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    for (size_t image = 0; image < swapchain.images.size(); ++image)
        release_with_readers(*compositor.commit_at(image).buffer, {&reader});
    compositor.settle();
    if (!waits_on_the_cpu()) {
        // Acquire does not wait: the application's fence signals with the reader's fence.
        Owned<VkFence> fence = make_fence(client.device);
        EXPECT_EQ(acquire(client.device, swapchain, 0, VK_NULL_HANDLE, fence).result, VK_SUCCESS);
        timeline.advance();
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        return;
    }
    EXPECT_EQ(client.acquire(swapchain, 0).result, VK_NOT_READY);
    EXPECT_EQ(client.acquire(swapchain, 1'000'000).result, VK_TIMEOUT);
    VkResult result = VK_ERROR_UNKNOWN;
    EXPECT_TRUE(run_and_see_whether_it_waits([&] { result = client.acquire(swapchain).result; },
                                             [&] { compositor.disconnect_clients(); }));
    EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
    timeline.advance();
}

void HeldFences::expect_no_early_read(bool present_waits) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    fake_driver().hold_rendering(VK_TRUE);
    for (size_t frame = 0; frame < 5; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        size_t commits_while_waiting = 0;
        VkResult presented = VK_ERROR_UNKNOWN;
        bool waited = run_and_see_whether_it_waits(
            [&] { presented = client.present_after(swapchain, index, {rendered}); },
            [&] {
                commits_while_waiting = compositor.commits();
                fake_driver().release_one();
            });
        ASSERT_EQ(presented, VK_SUCCESS);
        EXPECT_EQ(waited, present_waits);
        ASSERT_EQ(compositor.commits(), frame + 1);
        if (waited) {
            EXPECT_EQ(commits_while_waiting, frame);
        } else {
            EXPECT_FALSE(might_read_at_once(frame));
            EXPECT_FALSE(may_read(frame));
            ASSERT_TRUE(fake_driver().release_one());
        }
        EXPECT_TRUE(may_read(frame));
    }
    fake_driver().hold_rendering(VK_FALSE);
}

TEST_F(HeldFences, PresentItselfWaitsForTheRenderingOnlyWithTheCpuTransport) {
    expect_no_early_read(waits_on_the_cpu());
}

// Only the commit would tell the compositor of the acquire point. The compositor does not read, and
// the present makes no commit after the layer's limit for that, one second.
TEST_F(HeldFences, APresentOfASharedImageWithoutACommitWaitsIfOnlyTheCommitWouldCarryItsFence) {
    constexpr auto demand = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;
    const std::vector extensions{VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                 VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME};
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, extensions.back());
    Compositor& compositor = start({.shares_buffers = true});
    Client client(compositor.connect(), {}, extensions);
    const Swapchain swapchain = client.swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    compositor.freeze();
    for (int frame = 0; frame < 40; ++frame)
        ASSERT_EQ(client.present_after(swapchain, 0, {}), VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    client.renderer.submit({}, {rendered});
    VkResult presented = VK_ERROR_UNKNOWN;
    const bool waited = run_and_see_whether_it_waits(
        [&] { presented = client.present_after(swapchain, 0, {rendered}); },
        [&] { fake_driver().release_one(); });
    EXPECT_EQ(presented, VK_SUCCESS);
    EXPECT_EQ(waited, is_explicit() || waits_on_the_cpu());
    fake_driver().hold_rendering(VK_FALSE);
    compositor.thaw();
    compositor.settle();
    EXPECT_LE(compositor.commits(), 40u);
}

// RADV exports buffers on which importers ignore fences. The points of `explicit` are not ignored.
TEST_F(HeldFences, PresentItselfWaitsForTheRenderingIfImportersIgnoreTheFencesOfTheDmaBuf) {
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_RADV);
    expect_no_early_read(!is_explicit());
}

} // namespace
} // namespace fencebridge::test
