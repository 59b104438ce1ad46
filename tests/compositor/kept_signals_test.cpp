// SPDX-License-Identifier: MIT
// Drivers that import no SYNC_FD, where the application uses all queues: the layer has none to
// signal the semaphore and the fence of an acquire with, and keeps the signals. The fake driver
// reports a wait for a semaphore that nothing signals.
#include "fixture.hpp"
#include "who_waits.hpp"

#include "fake_driver/control.hpp"

#include <array>
#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

struct Driver {
    const char* name;
    VkFlags semaphore;
    VkFlags fence;
    friend void PrintTo(const Driver& driver, std::ostream* out) { *out << driver.name; }
};

class KeptSignals : public CompositorTest, public testing::WithParamInterface<Driver> {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().set_sync_fd_features(0, GetParam().semaphore, GetParam().fence);
        fake_driver().set_queue_count(0, 2); // Device takes both
        client_ = std::make_unique<Client>(start().connect(),
                                           InstanceOptions{.api_version = VK_API_VERSION_1_3},
                                           std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME});
        swapchain_ = client_->swapchain();
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
        acquired_ = make_semaphore(client_->device);
        fence_ = make_fence(client_->device);
    }
    void TearDown() override {
        EXPECT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
        fence_.reset();
        acquired_.reset();
        swapchain_ = {};
        client_.reset();
        CompositorTest::TearDown();
    }

    // Acquires an image with the semaphore and the fence.
    uint32_t acquire_both() {
        const auto [result, index] =
            acquire(client_->device, swapchain_, forever, acquired_, fence_);
        EXPECT_EQ(result, VK_SUCCESS);
        return index;
    }

    std::unique_ptr<Client> client_;
    Swapchain swapchain_;
    Owned<VkSemaphore> acquired_;
    Owned<VkFence> fence_;
};

constexpr VkFlags exports_semaphores = VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
constexpr VkFlags imports_semaphores = VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
constexpr VkFlags imports_fences = VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;

INSTANTIATE_TEST_SUITE_P(
    , KeptSignals,
    testing::Values(Driver{"Nothing", 0, 0}, Driver{"ImportsFences", 0, imports_fences},
                    Driver{"ImportsSemaphores", exports_semaphores | imports_semaphores, 0}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(KeptSignals, TheDeviceIsTakenOver) {
    for (int frame = 0; frame < 20; ++frame)
        ASSERT_EQ(client_->frame(swapchain_), VK_SUCCESS);
    EXPECT_TRUE(compositor_->wait_for_commits(20));
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
}

TEST_P(KeptSignals, ASemaphoreIsSignalledForASubmissionOnAnyQueue) {
    const std::array queues = {client_->device.queue, client_->device.other_queue};
    for (size_t frame = 0; frame < 6; ++frame) {
        const uint32_t index = acquire_both();
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
        info.waitSemaphoreCount = 1;
        const VkSemaphore waited = acquired_;
        info.pWaitSemaphores = &waited;
        info.pWaitDstStageMask = &stage;
        // The wait is in the second batch.
        const VkSubmitInfo infos[] = {{VK_STRUCTURE_TYPE_SUBMIT_INFO}, info};
        ASSERT_EQ(vkQueueSubmit(queues[frame % 2], 2, infos, fence_), VK_SUCCESS);
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    }
}

TEST_P(KeptSignals, ASemaphoreIsSignalledForVkQueueSubmit2) {
    for (int frame = 0; frame < 6; ++frame) {
        const uint32_t index = acquire_both();
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        VkSemaphoreSubmitInfo wait{VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO};
        wait.semaphore = acquired_;
        wait.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
        VkSubmitInfo2 info{VK_STRUCTURE_TYPE_SUBMIT_INFO_2};
        info.waitSemaphoreInfoCount = 1;
        info.pWaitSemaphoreInfos = &wait;
        ASSERT_EQ(vkQueueSubmit2(client_->device.queue, 1, &info, fence_), VK_SUCCESS);
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    }
}

TEST_P(KeptSignals, ASemaphoreIsSignalledForAPresent) {
    for (int frame = 0; frame < 6; ++frame) {
        const uint32_t index = acquire_both();
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        ASSERT_EQ(client_->present_after(swapchain_, index, {acquired_}), VK_SUCCESS);
        ASSERT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
        compositor_->settle();
    }
}

// A binary semaphore may be signalled again only after a wait.
TEST_P(KeptSignals, ASemaphoreIsSignalledOnceForEachAcquire) {
    const uint32_t index = acquire_both();
    client_->renderer.submit_no_work({acquired_}, VK_NULL_HANDLE);
    const uint64_t submissions = fake_driver().call_count("vkQueueSubmit");
    client_->renderer.submit({}, {acquired_}, VK_NULL_HANDLE); // the application's own signal
    client_->renderer.submit_no_work({acquired_}, VK_NULL_HANDLE);
    EXPECT_EQ(fake_driver().call_count("vkQueueSubmit"), submissions + 2);
    EXPECT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
}

TEST_P(KeptSignals, AFailedSubmissionCanBeRepeated) {
    const uint32_t index = acquire_both();
    for (const uint32_t nth : {1u, 2u}) { // the signal, or the application's
        fake_driver().fail_call("vkQueueSubmit", nth, VK_ERROR_OUT_OF_HOST_MEMORY);
        const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        const VkSemaphore waited = acquired_;
        VkSubmitInfo info{VK_STRUCTURE_TYPE_SUBMIT_INFO};
        info.waitSemaphoreCount = 1;
        info.pWaitSemaphores = &waited;
        info.pWaitDstStageMask = &stage;
        // If semaphores are imported, there is one call only.
        const VkResult first = vkQueueSubmit(client_->device.queue, 1, &info, VK_NULL_HANDLE);
        if (first == VK_SUCCESS)
            break;
        EXPECT_EQ(first, VK_ERROR_OUT_OF_HOST_MEMORY);
        fake_driver().clear_failures();
    }
    fake_driver().clear_failures();
    EXPECT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
}

TEST_P(KeptSignals, AFenceIsSignalledUntilItIsReset) {
    const Owned<VkFence> never = make_fence(client_->device);
    const VkFence both[] = {never, fence_};
    const VkFence one = fence_;
    EXPECT_EQ(vkGetFenceStatus(client_->device, fence_), VK_NOT_READY);
    for (int time = 0; time < 3; ++time) {
        const uint32_t index = acquire_both();
        EXPECT_EQ(vkWaitForFences(client_->device, 1, &one, VK_TRUE, forever), VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(client_->device, fence_), VK_SUCCESS);
        EXPECT_EQ(vkWaitForFences(client_->device, 2, both, VK_FALSE, forever), VK_SUCCESS);
        EXPECT_EQ(vkWaitForFences(client_->device, 2, both, VK_TRUE, 0), VK_TIMEOUT);
        EXPECT_EQ(vkResetFences(client_->device, 1, &one), VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(client_->device, fence_), VK_NOT_READY);
        EXPECT_EQ(vkWaitForFences(client_->device, 1, &one, VK_TRUE, 0), VK_TIMEOUT);
        client_->renderer.submit_no_work({acquired_}, fence_); // the driver's own signal
        EXPECT_TRUE(wait_and_reset(client_->device, fence_));
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    }
}

// The driver knows nothing of the signal that the thread waits for.
TEST_P(KeptSignals, AWaitThatBeganBeforeTheAcquireEnds) {
    std::atomic<pid_t> waiter = 0;
    std::thread waiting([&] {
        const VkFence one = fence_;
        waiter = pid_t(syscall(SYS_gettid));
        EXPECT_EQ(vkWaitForFences(client_->device, 1, &one, VK_TRUE, forever), VK_SUCCESS);
    });
    while (waiter == 0 || !sleeps(waiter))
        std::this_thread::yield();
    const uint32_t index = acquire_both();
    waiting.join();
    client_->renderer.submit_no_work({acquired_}, VK_NULL_HANDLE);
    ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
}

// A new fence or semaphore can have the handle of one that was destroyed.
TEST_P(KeptSignals, EndWithTheirObjects) {
    for (int time = 0; time < 20; ++time) {
        const Swapchain each = client_->swapchain({.old = swapchain_});
        ASSERT_EQ(each.result, VK_SUCCESS);
        const Owned<VkFence> fence = make_fence(client_->device);
        EXPECT_EQ(vkGetFenceStatus(client_->device, fence), VK_NOT_READY) << time;
        const Owned<VkSemaphore> semaphore = make_semaphore(client_->device);
        ASSERT_EQ(acquire(client_->device, each, forever, semaphore, fence).result, VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(client_->device, fence), VK_SUCCESS);
        if (time % 2 == 0)
            client_->renderer.submit_no_work({semaphore}, VK_NULL_HANDLE);
        ASSERT_EQ(vkDeviceWaitIdle(client_->device), VK_SUCCESS);
        swapchain_ = {};
    }
}

} // namespace
} // namespace fencebridge::test
