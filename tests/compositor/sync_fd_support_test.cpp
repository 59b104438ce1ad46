// SPDX-License-Identifier: MIT
// Drivers that cannot import SYNC_FDs into semaphores or into fences, or cannot export them: what
// the layer does for each combination, on real fences.
#include "fixture.hpp"

#include "fake_compositor/dma_buf.hpp"
#include "fake_driver/control.hpp"

namespace fencebridge::test {
namespace {

// Which operations with SYNC_FD handles the driver supports.
struct Operations {
    bool export_semaphore, import_semaphore, export_fence, import_fence;
    // Whether the application leaves a queue to the layer.
    bool spare_queue = true;
};

// Whether the driver can exchange sync_files with the window system. If not, the layer waits on the
// CPU.
bool exchanges_sync_files(const Operations& supported) {
    return (supported.export_semaphore || supported.export_fence) && supported.import_semaphore;
}

// Whether an acquire with a fence waits for the fences of the image.
bool waits_in_acquire(const Operations& supported) {
    return !exchanges_sync_files(supported) || (!supported.import_fence && !supported.spare_queue);
}

void apply(const Operations& supported) {
    VkFlags semaphore = 0;
    VkFlags fence = 0;
    if (supported.export_semaphore)
        semaphore |= VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT;
    if (supported.import_semaphore)
        semaphore |= VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT;
    if (supported.export_fence)
        fence |= VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT;
    if (supported.import_fence)
        fence |= VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT;
    fake_driver().set_sync_fd_features(0, semaphore, fence);
}

// A client that has presented every image. It has a timeline for the fences of readers of the first
// image's buffer, and a fence for its acquire.
struct Shown {
    explicit Shown(Compositor& compositor) : client(compositor) {
        EXPECT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
        buffer = *compositor.commit_at(0).buffer;
    }

    Client client;
    Swapchain swapchain = client.swapchain();
    BufferId buffer{};
    FenceTimeline timeline;
    Owned<VkFence> fence = make_fence(client.device);
};

class SyncFdSupport : public FencesTest, public testing::WithParamInterface<Operations> {
protected:
    void SetUp() override {
        FencesTest::SetUp();
        apply(GetParam());
        fake_driver().set_queue_count(0, GetParam().spare_queue ? 3 : 2);
    }
};

TEST_P(SyncFdSupport, TheTransportIsCpuIfTheDriverCannotExchangeSyncFiles) {
    ErrorLog log;
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    std::string expected = exchanges_sync_files(GetParam()) ? transport() : "cpu";
    EXPECT_EQ(log.lines_with({"info: swapchain", "transport=" + expected + " "}).size(), 1u)
        << log.text();
}

TEST_P(SyncFdSupport, AcquireSignalsFenceAndSemaphoreWhenTheReaderIsDone) {
    Compositor& compositor = start({.release = Release::manual});
    Shown shown(compositor);
    auto& [client, swapchain, buffer, timeline, fence] = shown;
    Owned<VkFence> waited_for = make_fence(client.device);
    Owned<VkSemaphore> semaphore = make_semaphore(client.device);
    for (int round = 0; round < 5; ++round) {
        Fd reader = timeline.fence();
        if (waits_in_acquire(GetParam()))
            timeline.advance();
        release_with_readers(buffer, {&reader});
        auto [result, index] = acquire(client.device, swapchain, forever, semaphore, fence);
        ASSERT_EQ(result, VK_SUCCESS);
        client.renderer.submit_no_work({semaphore}, waited_for);
        if (!waits_in_acquire(GetParam())) {
            EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
            EXPECT_EQ(vkGetFenceStatus(client.device, waited_for), VK_NOT_READY);
            timeline.advance();
        }
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        EXPECT_TRUE(wait_and_reset(client.device, waited_for));
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        compositor.settle();
    }
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_P(SyncFdSupport, AcquireSignalsAFenceAloneAndASemaphoreAlone) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    Owned<VkFence> fence = make_fence(client.device);
    Owned<VkSemaphore> semaphore = make_semaphore(client.device);
    auto [first_result, first] = acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
    ASSERT_EQ(first_result, VK_SUCCESS);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    auto [second_result, second] = acquire(client.device, swapchain, forever, semaphore);
    ASSERT_EQ(second_result, VK_SUCCESS);
    client.renderer.submit_no_work({semaphore}, fence);
    EXPECT_TRUE(wait_and_reset(client.device, fence));
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

TEST_P(SyncFdSupport, TheBufferIsNotReadBeforeTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    for (size_t frame = 0; frame < 5; ++frame) {
        auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        fake_driver().hold_rendering(exchanges_sync_files(GetParam()));
        client.renderer.submit({}, {rendered});
        ASSERT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
        ASSERT_EQ(compositor.commits(), frame + 1);
        EXPECT_NE(might_read_at_once(frame), exchanges_sync_files(GetParam()));
        if (exchanges_sync_files(GetParam())) {
            EXPECT_FALSE(may_read(frame));
            fake_driver().release_one();
        }
        EXPECT_TRUE(may_read(frame));
    }
    fake_driver().hold_rendering(VK_FALSE);
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// Never by a wait: with the transport `cpu`, the present waits for the rendering anyway.
TEST_P(SyncFdSupport, APresentSignalsItsFenceWhenTheRenderingIsDone) {
    Compositor& compositor = start();
    Client client(compositor.connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME});
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    Owned<VkFence> fence = make_fence(client.device);
    VkFence handle = fence;
    VkSwapchainPresentFenceInfoEXT info{VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT};
    info.swapchainCount = 1;
    info.pFences = &handle;
    size_t early = 0;
    for (int frame = 0; frame < 50; ++frame) {
        auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        fake_driver().hold_rendering(exchanges_sync_files(GetParam()));
        client.renderer.submit({}, {rendered});
        ASSERT_EQ(present(client.device.queue, swapchain, index, {rendered}, &info), VK_SUCCESS);
        if (exchanges_sync_files(GetParam())) {
            EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
            ASSERT_TRUE(fake_driver().release_one());
        }
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        compositor.settle();
        if (frame == 25)
            early = open_fds();
    }
    EXPECT_LE(open_fds(), early);
    fake_driver().hold_rendering(VK_FALSE);
}

// The layer keeps as many semaphores and fences as were in use at once. Later frames may use more
// of them at once than earlier ones, but not one more in every frame.
TEST_P(SyncFdSupport, DescriptorsAndDriverObjectsDoNotGrowWithTheFrames) {
    constexpr size_t frames = 100;
    Compositor& compositor = start({.release = Release::manual});
    Shown shown(compositor);
    auto& [client, swapchain, buffer, timeline, fence] = shown;
    Owned<VkFence> waited_for = make_fence(client.device);
    Owned<VkSemaphore> semaphore = make_semaphore(client.device);
    auto held_after_more_frames = [&] {
        for (size_t i = 0; i < frames; ++i) {
            Fd reader = timeline.fence();
            if (waits_in_acquire(GetParam()))
                timeline.advance();
            release_with_readers(buffer, {&reader});
            uint32_t index = acquire(client.device, swapchain, forever, semaphore, fence).index;
            client.renderer.submit_no_work({semaphore}, waited_for);
            if (!waits_in_acquire(GetParam()))
                timeline.advance();
            EXPECT_TRUE(wait_and_reset(client.device, fence));
            EXPECT_TRUE(wait_and_reset(client.device, waited_for));
            EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS);
            EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
            compositor.settle();
        }
        size_t held = open_fds();
        for (auto [type, count] : live_driver_objects())
            held += count;
        return held;
    };
    size_t early = held_after_more_frames();
    EXPECT_LT(held_after_more_frames(), early + frames / 4);
}

std::vector<Operations> all_combinations() {
    std::vector<Operations> all;
    for (unsigned bits = 0; bits < 32; ++bits)
        all.push_back(
            {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) == 0});
    return all;
}

std::string name_of(const testing::TestParamInfo<Operations>& tested) {
    const Operations& supported = tested.param;
    std::string name;
    for (auto [has, part] : {std::pair{supported.export_semaphore, "ExportSemaphore"},
                             std::pair{supported.import_semaphore, "ImportSemaphore"},
                             std::pair{supported.export_fence, "ExportFence"},
                             std::pair{supported.import_fence, "ImportFence"}})
        if (has)
            name += (name.empty() ? "" : "_") + std::string(part);
    if (name.empty())
        name = "Nothing";
    return name + (supported.spare_queue ? "" : "_WithoutAQueue");
}

INSTANTIATE_TEST_SUITE_P(, SyncFdSupport, testing::ValuesIn(all_combinations()), name_of);

// --- how often the layer submits ---

class Submissions : public FencesTest {
protected:
    // Returns how often the layer submits in one acquire and one present with two wait semaphores.
    uint64_t in_one_frame() {
        Compositor& compositor = start();
        Client client(compositor);
        Swapchain swapchain = client.swapchain();
        Owned<VkSemaphore> acquired = make_semaphore(client.device);
        Owned<VkFence> fence = make_fence(client.device);
        Owned<VkSemaphore> rendered[] = {make_semaphore(client.device),
                                         make_semaphore(client.device)};
        auto [result, index] = acquire(client.device, swapchain, forever, acquired, fence);
        EXPECT_EQ(result, VK_SUCCESS);
        client.renderer.submit({acquired}, {rendered[0]});
        client.renderer.submit_elsewhere({rendered[1]});
        EXPECT_EQ(client.present_after(swapchain, index, {rendered[0], rendered[1]}), VK_SUCCESS);
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        return fake_driver().call_count("vkQueueSubmit") - 2;
    }
};

TEST_F(Submissions, AFrameNeedsNoSubmissionIfItsSemaphoresCanBeExported) {
    EXPECT_EQ(in_one_frame(), 0u);
}

TEST_F(Submissions, AFrameNeedsOneSubmissionIfSemaphoresWithImportedPayloadsCannotBeExported) {
    fake_driver().set_exports_imported_semaphores(0, VK_FALSE);
    EXPECT_EQ(in_one_frame(), 1u);
}

// Acquire submits twice. The first submission waits for a semaphore of the layer's and signals the
// application's fence. The second signals a fence of the layer's, which tells that the semaphore
// can be used again. If the second fails, the semaphore is not used any more.
TEST_F(Submissions, AFailureOfTheSecondSubmissionInAcquireCostsOneSemaphore) {
    apply({.export_semaphore = true,
           .import_semaphore = true,
           .export_fence = true,
           .import_fence = false});
    fake_driver().set_queue_count(0, 3);
    Compositor& compositor = start({.release = Release::manual});
    Shown shown(compositor);
    auto& [client, swapchain, buffer, timeline, fence] = shown;
    auto acquire_behind_a_reader = [&] {
        Fd reader = timeline.fence();
        release_with_readers(buffer, {&reader});
        auto [result, index] = acquire(client.device, swapchain, forever, VK_NULL_HANDLE, fence);
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_EQ(vkGetFenceStatus(client.device, fence), VK_NOT_READY);
        timeline.advance();
        EXPECT_TRUE(wait_and_reset(client.device, fence));
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        compositor.settle();
    };
    fake_driver().fail_call("vkQueueSubmit", 2, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    acquire_behind_a_reader();
    ASSERT_EQ(fake_driver().injected_failures(), 1u);
    acquire_behind_a_reader();
    const auto before = live_driver_objects();
    for (int i = 0; i < 10; ++i)
        acquire_behind_a_reader();
    EXPECT_EQ(live_driver_objects(), before);
}

TEST_F(Submissions, AFrameNeedsOneSubmissionIfTheDriverExportsOnlyFences) {
    apply({.export_semaphore = false,
           .import_semaphore = true,
           .export_fence = true,
           .import_fence = true});
    EXPECT_EQ(in_one_frame(), 1u);
}

// An application repeats a present that ran out of memory, and its semaphores must have their
// signals then.
TEST_F(Submissions, AFailureAfterTheSubmissionInPresentIsALostDevice) {
    apply({.export_semaphore = false,
           .import_semaphore = true,
           .export_fence = true,
           .import_fence = true});
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    const uint32_t index = client.acquire(swapchain).index;
    Owned<VkSemaphore> rendered = make_semaphore(client.device);
    client.renderer.submit({}, {rendered});
    fake_driver().fail_call("vkGetFenceFdKHR", 1, VK_ERROR_TOO_MANY_OBJECTS);
    fake_driver().fail_call("vkQueueWaitIdle", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

// The layer does not change a VkExportSemaphoreCreateInfo of the application.
TEST_F(Submissions, APresentNeedsOneSubmissionIfItsSemaphoreIsExportableInAnotherWay) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    VkExportSemaphoreCreateInfo exported{VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO};
    exported.handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT;
    VkSemaphoreCreateInfo info{VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &exported};
    VkSemaphore rendered = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateSemaphore(client.device, &info, nullptr, &rendered), VK_SUCCESS);
    uint32_t index = client.acquire(swapchain).index;
    client.renderer.submit({}, {rendered});
    EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkQueueSubmit"), 2u);
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    vkDestroySemaphore(client.device, rendered, nullptr);
}

// The image is presented without rendering. The semaphore has an imported payload.
TEST_F(Submissions, APresentThatWaitsForTheSemaphoreOfAcquireNeedsNoSubmission) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    Owned<VkSemaphore> acquired = make_semaphore(client.device);
    for (int frame = 0; frame < 5; ++frame) {
        auto [result, index] = acquire(client.device, swapchain, forever, acquired);
        ASSERT_EQ(result, VK_SUCCESS);
        ASSERT_EQ(client.present_after(swapchain, index, {acquired}), VK_SUCCESS);
    }
    EXPECT_EQ(fake_driver().call_count("vkQueueSubmit"), 0u);
}

} // namespace
} // namespace fencebridge::test
