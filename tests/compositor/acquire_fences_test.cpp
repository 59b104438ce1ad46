// SPDX-License-Identifier: MIT
// Invariants 1, 2 and 4 on real dma-bufs: what the fence and the semaphore of vkAcquireNextImageKHR
// wait for.
#include "fixture.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

#include <algorithm>
#include <array>

namespace fencebridge::test {
namespace {

enum class Payload { fence, semaphore, both };

class AcquireFences : public FencesTest {
protected:
    // Creates a window whose images are all presented and not released.
    void SetUp() override {
        FencesTest::SetUp();
        if (HasFatalFailure())
            return;
        Compositor& compositor = start({.release = Release::manual});
        client_ =
            std::make_unique<Client>(compositor.connect(), InstanceOptions(),
                                     std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                                 VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME});
        swapchain_ = client_->swapchain();
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
        ASSERT_EQ(client_->show_every_image(swapchain_), VK_SUCCESS);
        ASSERT_EQ(compositor.commits(), swapchain_.images.size());
        acquired_fence_ = make_fence(client_->device);
        waited_fence_ = make_fence(client_->device);
        semaphore_ = make_semaphore(client_->device);
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        semaphore_.reset();
        waited_fence_.reset();
        acquired_fence_.reset();
        swapchain_ = {};
        client_.reset();
        FencesTest::TearDown();
    }

    BufferId buffer(size_t commit) { return *compositor_->commit_at(commit).buffer; }

    // Acquires the one image that is released. A submission that waits for the semaphore signals
    // `waited_fence_`, so that the test can query whether the semaphore has signalled.
    void acquire_pending(Payload payload) {
        bool with_fence = payload != Payload::semaphore;
        bool with_semaphore = payload != Payload::fence;
        auto [result, index] = acquire(client_->device, swapchain_, 0,
                                       with_semaphore ? semaphore_.get() : VK_NULL_HANDLE,
                                       with_fence ? acquired_fence_.get() : VK_NULL_HANDLE);
        ASSERT_EQ(result, VK_SUCCESS);
        index_ = index;
        if (with_fence)
            watched_.push_back(acquired_fence_);
        if (with_semaphore) {
            client_->renderer.submit_no_work({semaphore_}, waited_fence_);
            watched_.push_back(waited_fence_);
        }
    }
    bool any_signalled() {
        return std::ranges::any_of(watched_, [&](VkFence fence) {
            return vkGetFenceStatus(client_->device, fence) != VK_NOT_READY;
        });
    }
    bool all_signal() {
        return vkWaitForFences(client_->device, uint32_t(watched_.size()), watched_.data(), VK_TRUE,
                               10'000'000'000) == VK_SUCCESS;
    }

    std::unique_ptr<Client> client_;
    Swapchain swapchain_;
    Owned<VkFence> acquired_fence_;
    Owned<VkFence> waited_fence_;
    Owned<VkSemaphore> semaphore_;
    std::vector<VkFence> watched_;
    uint32_t index_ = 0;
};

struct OrderCase {
    Payload payload;
    std::array<size_t, 3> order;
};

class FenceOrders : public AcquireFences, public testing::WithParamInterface<OrderCase> {};

// The window system has two readers and a writer, each with a fence on a timeline of its own.
TEST_P(FenceOrders, ThePayloadSignalsAfterTheLastFenceWhateverTheirOrder) {
    FenceTimeline timelines[3];
    Fd fences[] = {timelines[0].fence(), timelines[1].fence(), timelines[2].fence()};
    // The writer's fence is attached first: fences that are attached later must not hide it.
    if (is_explicit()) {
        release_with_readers(buffer(0), {&fences[2], &fences[0], &fences[1]});
    } else {
        Fd dma_buf = compositor_->dma_buf_of(buffer(0));
        ASSERT_TRUE(attach_write_fence(dma_buf.get(), fences[2].get()));
        release_with_readers(buffer(0), {&fences[0], &fences[1]});
    }
    acquire_pending(GetParam().payload);
    ASSERT_FALSE(HasFatalFailure());
    for (size_t i : GetParam().order) {
        EXPECT_FALSE(any_signalled()) << "before fence " << i;
        timelines[i].advance();
    }
    EXPECT_TRUE(all_signal());
}

std::vector<OrderCase> all_orders() {
    std::vector<OrderCase> cases;
    for (Payload payload : {Payload::fence, Payload::semaphore, Payload::both}) {
        std::array<size_t, 3> order{0, 1, 2};
        do
            cases.push_back({payload, order});
        while (std::ranges::next_permutation(order).found);
    }
    return cases;
}

std::string name_of(const testing::TestParamInfo<OrderCase>& tested) {
    constexpr const char* names[] = {"Fence", "Semaphore", "FenceAndSemaphore"};
    std::string name = names[int(tested.param.payload)] + std::string("_SignalOrder");
    for (size_t i : tested.param.order)
        name += std::to_string(i);
    return name;
}

INSTANTIATE_TEST_SUITE_P(, FenceOrders, testing::ValuesIn(all_orders()), name_of);

TEST_F(AcquireFences, ThePayloadOfAnIdleImageSignalsAtOnce) {
    compositor_->release(buffer(0));
    acquire_pending(Payload::both);
    EXPECT_TRUE(all_signal());
}

TEST_F(AcquireFences, AFenceThatHasSignalledIsNotWaitedFor) {
    FenceTimeline timeline;
    Fd fence = timeline.fence();
    timeline.advance();
    release_with_readers(buffer(0), {&fence});
    acquire_pending(Payload::both);
    EXPECT_TRUE(all_signal());
}

// The rendering does not have to wait while another free image has no pending fence.
TEST_F(AcquireFences, AnIdleImageIsAcquiredBeforeAnEarlierReleasedOneWithAPendingFence) {
    FenceTimeline timeline;
    Fd fence = timeline.fence();
    release_with_readers(buffer(0), {&fence});
    compositor_->release(buffer(1));
    auto [result, index] = acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, acquired_fence_);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(index, 1u);
    EXPECT_EQ(vkGetFenceStatus(client_->device, acquired_fence_), VK_SUCCESS);
    timeline.advance();
}

TEST_F(AcquireFences, TheEarliestReleasedImageIsAcquiredUnlessAnotherHasBecomeIdle) {
    FenceTimeline timelines[3];
    for (size_t i = 0; i < std::size(timelines); ++i) {
        Fd fence = timelines[i].fence();
        release_with_readers(buffer(i), {&fence});
    }
    auto [first_result, first] =
        acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, acquired_fence_);
    ASSERT_EQ(first_result, VK_SUCCESS);
    EXPECT_EQ(first, 0u);
    EXPECT_EQ(vkGetFenceStatus(client_->device, acquired_fence_), VK_NOT_READY);
    timelines[2].advance();
    auto [second_result, second] =
        acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, waited_fence_);
    ASSERT_EQ(second_result, VK_SUCCESS);
    EXPECT_EQ(second, 2u) << "before image 1, which was released earlier";
    EXPECT_EQ(vkGetFenceStatus(client_->device, waited_fence_), VK_SUCCESS);
    timelines[0].advance();
    timelines[1].advance();
}

// imported_sync_fds() does not count -1, which stands for a payload that has signalled.
TEST_F(AcquireFences, NoSyncFileIsImportedForAnIdleImage) {
    compositor_->release(buffer(0));
    uint64_t imported = fake_driver().imported_sync_fds();
    acquire_pending(Payload::both);
    EXPECT_EQ(fake_driver().imported_sync_fds(), imported);
    EXPECT_TRUE(all_signal());
}

// --- invariant 2 ---

class LaterFences : public AcquireFences, public testing::WithParamInterface<bool> {};

TEST_P(LaterFences, AFenceAttachedAfterAcquireDoesNotDelayThePayload) {
    bool writer = GetParam();
    Fd dma_buf = compositor_->dma_buf_of(buffer(0));
    FenceTimeline present_at_acquire;
    FenceTimeline later;
    Fd first = present_at_acquire.fence();
    Fd second = later.fence();
    release_with_readers(buffer(0), {&first});
    acquire_pending(Payload::both);
    ASSERT_FALSE(HasFatalFailure());
    // Drivers with implicit synchronisation attach the client's own rendering as a writer.
    ASSERT_TRUE(writer ? attach_write_fence(dma_buf.get(), second.get())
                       : attach_read_fence(dma_buf.get(), second.get()));
    EXPECT_FALSE(any_signalled());
    present_at_acquire.advance();
    EXPECT_TRUE(all_signal());
    EXPECT_FALSE(sync_file_signalled(second.get()));
    later.advance();
}

INSTANTIATE_TEST_SUITE_P(, LaterFences, testing::Bool(),
                         [](auto& tested) { return tested.param ? "Writer" : "Reader"; });

TEST_F(AcquireFences, FencesOfOtherImagesDoNotDelayThePayload) {
    Fd other = compositor_->dma_buf_of(buffer(1));
    FenceTimeline timeline;
    Fd fence = timeline.fence();
    ASSERT_TRUE(attach_read_fence(other.get(), fence.get()));
    compositor_->release(buffer(0));
    acquire_pending(Payload::both);
    EXPECT_TRUE(all_signal());
    timeline.advance();
}

// The first payload does not wait for the fences that the second acquire of the image finds.
TEST_F(AcquireFences, ALaterFrameOfTheSameImageDoesNotDelayThePayload) {
    FenceTimeline first_reader;
    FenceTimeline second_reader;
    Fd first = first_reader.fence();
    Fd second = second_reader.fence();
    release_with_readers(buffer(0), {&first});
    acquire_pending(Payload::fence);
    ASSERT_EQ(client_->present(swapchain_, index_), VK_SUCCESS);
    compositor_->settle();
    release_with_readers(buffer(0), {&second});
    Owned<VkFence> next = make_fence(client_->device);
    auto [result, index] = acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, next);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(index, index_);
    first_reader.advance();
    EXPECT_TRUE(all_signal());
    EXPECT_EQ(vkGetFenceStatus(client_->device, next), VK_NOT_READY);
    second_reader.advance();
    EXPECT_TRUE(wait_and_reset(client_->device, next));
}

// An image that the application releases without a present, and acquires again, still has the
// fences of its readers (vkReleaseSwapchainImagesKHR).
TEST_F(AcquireFences, TheNextAcquireOfAReleasedImageWaitsForTheSameReader) {
    FenceTimeline timeline;
    Fd reader = timeline.fence();
    release_with_readers(buffer(0), {&reader});
    acquire_pending(Payload::fence);
    const auto release = reinterpret_cast<PFN_vkReleaseSwapchainImagesEXT>(
        vkGetDeviceProcAddr(client_->device, "vkReleaseSwapchainImagesEXT"));
    ASSERT_NE(release, nullptr);
    VkReleaseSwapchainImagesInfoEXT info{VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT};
    info.swapchain = swapchain_;
    info.imageIndexCount = 1;
    info.pImageIndices = &index_;
    ASSERT_EQ(release(client_->device, &info), VK_SUCCESS);
    Owned<VkFence> next = make_fence(client_->device);
    auto [result, index] = acquire(client_->device, swapchain_, 0, VK_NULL_HANDLE, next);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(index, index_);
    EXPECT_EQ(vkGetFenceStatus(client_->device, next), VK_NOT_READY);
    timeline.advance();
    EXPECT_TRUE(all_signal());
    EXPECT_TRUE(wait_and_reset(client_->device, next));
    EXPECT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
}

// --- invariant 4 ---

// The fence signals only after acquire has returned. If acquire waited for it on the CPU, the test
// would hang.
TEST_F(AcquireFences, AcquireWithAnInfiniteTimeoutReturnsBeforeTheFenceSignals) {
    FenceTimeline timeline;
    Fd fence = timeline.fence();
    release_with_readers(buffer(0), {&fence});
    auto [result, index] =
        acquire(client_->device, swapchain_, forever, VK_NULL_HANDLE, acquired_fence_);
    EXPECT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(client_->device, acquired_fence_), VK_NOT_READY);
    timeline.advance();
    EXPECT_TRUE(wait_and_reset(client_->device, acquired_fence_));
}

TEST_F(AcquireFences, ManyFramesWithFencesLeaveNoDescriptorOpen) {
    FenceTimeline timeline;
    auto frame = [&](size_t i) {
        Fd fence = timeline.fence();
        release_with_readers(buffer(i % 2), {&fence});
        auto [result, index] =
            acquire(client_->device, swapchain_, forever, VK_NULL_HANDLE, acquired_fence_);
        ASSERT_EQ(result, VK_SUCCESS);
        timeline.advance();
        ASSERT_TRUE(wait_and_reset(client_->device, acquired_fence_));
        ASSERT_EQ(client_->present(swapchain_, index), VK_SUCCESS);
        compositor_->settle();
    };
    for (size_t i = 0; i < 50; ++i)
        frame(i);
    size_t fds = open_fds();
    for (size_t i = 0; i < 200; ++i)
        frame(i);
    EXPECT_EQ(open_fds(), fds);
}

} // namespace
} // namespace fencebridge::test
