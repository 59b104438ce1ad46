// SPDX-License-Identifier: MIT
// When a presented image is committed: with MAILBOX at once, with FIFO one per refresh of the
// output.
#include "fixture.hpp"

#include <chrono>
#include <thread>

namespace fencebridge::test {
namespace {

// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

class Pacing : public CompositorTest {};

uint32_t must_acquire(Client& client, const Swapchain& swapchain) {
    auto [result, index] = client.acquire(swapchain);
    EXPECT_EQ(result, VK_SUCCESS);
    return index;
}

TEST_F(Pacing, MailboxCommitsWithoutWaitingForARefresh) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_MAILBOX_KHR});
    for (size_t frame = 1; frame <= 6; ++frame) {
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(compositor.commits(), frame);
    }
    EXPECT_EQ(compositor.requests("wl_surface", "frame"), 0u) << "there is nothing to wait for";
}

TEST_F(Pacing, FifoCommitsTheSecondFrameAfterTheRefresh) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 1u);
    uint32_t index = must_acquire(client, swapchain);
    std::thread presenting([&] { EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(2, short_while));
    compositor.refresh();
    EXPECT_TRUE(compositor.wait_for_commits(2));
    presenting.join();
    compositor.refresh();
}

TEST_F(Pacing, FifoRequestsAFrameCallbackWithEveryCommit) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    for (int frame = 0; frame < 10; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 10u);
    for (size_t i = 0; i < 10; ++i)
        EXPECT_TRUE(compositor.commit_at(i).frame_callback);
}

// A compositor sends no frame callbacks to a hidden window.
TEST_F(Pacing, FifoInAHiddenWindowDoesNotHang) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    for (int frame = 0; frame < 3; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_TRUE(compositor.wait_for_commits(3));
}

TEST_F(Pacing, FifoCommitsEveryFrame) {
    Compositor& compositor = start({.refresh = Refresh::periodic});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    for (int frame = 0; frame < 30; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_TRUE(compositor.wait_for_commits(30));
    EXPECT_EQ(compositor.commits(), 30u);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
TEST_F(Pacing, FifoSetsBarriersAndDoesNotWaitIfTheCompositorHasFifoV1) {
    Compositor& compositor =
        start({.globals = {.fifo = 1}, .refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    // The compositor queues the second frame, and the layer does not wait.
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 2u);
    EXPECT_TRUE(compositor.commit_at(0).fifo_set_barrier);
    EXPECT_TRUE(compositor.commit_at(1).fifo_set_barrier);
    EXPECT_TRUE(compositor.commit_at(1).fifo_wait_barrier);
    compositor.refresh();
    compositor.refresh();
}

// The old swapchain's frames may still be queued, and the new one has images of its own.
TEST_F(Pacing, ANewSwapchainQueuesNoMoreFramesThanItHasImages) {
    Compositor& compositor =
        start({.globals = {.fifo = 1}, .refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    const SwapchainOptions fifo{.mode = VK_PRESENT_MODE_FIFO_KHR, .min_images = 3};
    Swapchain first = client.swapchain(fifo);
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    compositor.refresh();
    compositor.settle();
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    EXPECT_EQ(client.frame(first), VK_SUCCESS);
    Swapchain second = client.swapchain({.mode = fifo.mode, .min_images = 3, .old = first});
    EXPECT_EQ(client.frame(second), VK_SUCCESS);
    ASSERT_EQ(compositor.commits(), 4u);
    uint32_t index = must_acquire(client, second);
    std::thread presenting([&] { EXPECT_EQ(client.present(second, index), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(5, short_while));
    for (int frame = 0; frame < 3; ++frame)
        compositor.refresh();
    EXPECT_TRUE(compositor.wait_for_commits(5));
    presenting.join();
    compositor.refresh();
}

TEST_F(Pacing, MailboxNeverWaitsForABarrier) {
    Compositor& compositor = start({.globals = {.fifo = 1}, .refresh = Refresh::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_MAILBOX_KHR});
    for (int frame = 0; frame < 3; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    for (size_t i = 0; i < 3; ++i)
        EXPECT_FALSE(compositor.commit_at(i).fifo_wait_barrier);
}
#endif

} // namespace
} // namespace fencebridge::test
