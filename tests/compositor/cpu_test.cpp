// SPDX-License-Identifier: MIT
// Invariant 3 with the transport `cpu`, which is used if buffers carry no fences: nothing is
// committed before the wait semaphores of vkQueuePresentKHR have signalled.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

namespace fencebridge::test {
namespace {

// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

thread_local bool polls_fail = false; // all ppoll() calls of this thread

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

// Lack of memory would mean that the semaphore still has its signal.
TEST_P(CpuTransport, AFailingWaitForTheRenderingIsALostDevice) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = GetParam()});
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    polls_fail = true;
    const VkResult result = client.present_after(swapchain, index, {rendered});
    polls_fail = false;
    EXPECT_EQ(result, VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(compositor.commits(), 0u);
    ASSERT_TRUE(fake_driver().release_one());
    vkDeviceWaitIdle(client.device);
}

INSTANTIATE_TEST_SUITE_P(, CpuTransport,
                         testing::Values(VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR),
                         name_of_mode);

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before the C library's. For the name, see socket_reading_test.
extern "C" [[gnu::visibility("default")]] int failing_ppoll(pollfd* polled, nfds_t count,
                                                            const timespec* timeout,
                                                            const sigset_t* mask) asm("ppoll");
extern "C" int failing_ppoll(pollfd* polled, nfds_t count, const timespec* timeout,
                             const sigset_t* mask) {
    if (fencebridge::test::polls_fail) {
        errno = ENOMEM;
        return -1;
    }
    timespec left = timeout ? *timeout : timespec{};
    return int(syscall(SYS_ppoll, polled, count, timeout ? &left : nullptr, mask, _NSIG / 8));
}
