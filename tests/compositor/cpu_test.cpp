// SPDX-License-Identifier: MIT
// Invariant 3 with the transport `cpu`, which is used if buffers carry no fences: nothing is
// committed before the wait semaphores of vkQueuePresentKHR have signalled.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

class CpuTransport : public CompositorTest, public testing::WithParamInterface<VkPresentModeKHR> {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().hold_rendering(VK_TRUE);
    }
};

TEST_P(CpuTransport, TheTransportIsCpuIfBuffersCarryNoFences) {
    ErrorLog log;
    Client client(start());
    Swapchain swapchain = client.swapchain({.mode = GetParam()});
    EXPECT_EQ(log.lines_with({"fencebridge: info: swapchain", "transport=cpu"}).size(), 1u)
        << log.text();
}

TEST_P(CpuTransport, NothingIsCommittedBeforeTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = GetParam()});
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    for (size_t frame = 1; frame <= 3; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        std::thread presenting(
            [&] { EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS); });
        EXPECT_FALSE(compositor.wait_for_commits(frame, short_while));
        ASSERT_TRUE(fake_driver().release_one());
        EXPECT_TRUE(compositor.wait_for_commits(frame));
        presenting.join();
    }
    vkDeviceWaitIdle(client.device);
}

TEST_P(CpuTransport, NothingIsCommittedBeforeEveryWaitSemaphoreSignals) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = GetParam()});
    Owned<VkSemaphore> rendered[] = {make_semaphore(client.device), make_semaphore(client.device)};
    const uint32_t index = client.acquire_and_render(swapchain, rendered[0]);
    client.renderer.submit_elsewhere({rendered[1]});
    std::thread presenting([&] {
        EXPECT_EQ(client.present_after(swapchain, index, {rendered[0], rendered[1]}), VK_SUCCESS);
    });
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_FALSE(compositor.wait_for_commits(1, short_while));
    ASSERT_TRUE(fake_driver().release_one());
    EXPECT_TRUE(compositor.wait_for_commits(1));
    presenting.join();
    vkDeviceWaitIdle(client.device);
}

TEST_P(CpuTransport, ASemaphoreThatOnlyPresentWaitsForIsUnsignalledAfterwards) {
    Client client(start());
    fake_driver().hold_rendering(VK_FALSE);
    Swapchain swapchain = client.swapchain({.mode = GetParam()});
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    // Signalling a semaphore that is still signalled is misuse, which the fixture reports.
    for (int frame = 0; frame < 5; ++frame) {
        const uint32_t index = client.acquire_and_render(swapchain, rendered);
        EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    }
    vkDeviceWaitIdle(client.device);
}

INSTANTIATE_TEST_SUITE_P(, CpuTransport,
                         testing::Values(VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR),
                         name_of_mode);

} // namespace
} // namespace fencebridge::test
