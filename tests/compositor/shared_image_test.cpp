// SPDX-License-Identifier: MIT
// VK_KHR_shared_presentable_image with demand refresh: the application keeps the one image, and
// presents it again and again.
#include "fixture.hpp"
#include "skipped_waits.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

namespace fencebridge::test {
namespace {

constexpr VkPresentModeKHR demand = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;

class SharedImage : public CompositorTest {
protected:
    void begin() {
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                           VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
        Script script = {.shares_buffers = true};
        script.globals.syncobj = 1; // for FENCEBRIDGE_SYNC=explicit
        client_.emplace(start(script).connect(), InstanceOptions{},
                        std::vector{VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                    VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
                                    VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
                                    VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                    VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        client_.reset();
        CompositorTest::TearDown();
    }
    std::vector<VkPresentModeKHR> modes(Client& client) {
        uint32_t count = 0;
        vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface, &count,
                                                  nullptr);
        std::vector<VkPresentModeKHR> all(count);
        vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface, &count,
                                                  all.data());
        return all;
    }
    VkImageUsageFlags shared_usage(Client& client) {
        VkSharedPresentSurfaceCapabilitiesKHR shared{
            .sType = VK_STRUCTURE_TYPE_SHARED_PRESENT_SURFACE_CAPABILITIES_KHR,
            .pNext = nullptr,
            .sharedPresentSupportedUsageFlags = 0x1000};
        query_capabilities(client.instance, client.device, client.surface, &shared);
        return shared.sharedPresentSupportedUsageFlags;
    }
    VkResult status(const Swapchain& swapchain) {
        return reinterpret_cast<PFN_vkGetSwapchainStatusKHR>(vkGetDeviceProcAddr(
            client_->device, "vkGetSwapchainStatusKHR"))(client_->device, swapchain);
    }

    VkResult release(const Swapchain& swapchain, uint32_t index) {
        VkReleaseSwapchainImagesInfoEXT info{VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT};
        info.swapchain = swapchain;
        info.imageIndexCount = 1;
        info.pImageIndices = &index;
        return reinterpret_cast<PFN_vkReleaseSwapchainImagesEXT>(vkGetDeviceProcAddr(
            client_->device, "vkReleaseSwapchainImagesEXT"))(client_->device, &info);
    }

    std::optional<Client> client_;
};

TEST_F(SharedImage, IsOfferedIfTheDriverKnowsItsLayout) {
    begin();
    const auto offered = modes(*client_);
    EXPECT_NE(std::ranges::find(offered, demand), offered.end());
    VkSurfaceCapabilitiesKHR capabilities{};
    vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client_->device.physical, client_->surface,
                                              &capabilities);
    EXPECT_EQ(shared_usage(*client_), capabilities.supportedUsageFlags);
}

TEST_F(SharedImage, IsNotOfferedIfTheDriverMayNotKnowItsLayout) {
    Client client(start());
    const auto offered = modes(client);
    EXPECT_EQ(std::ranges::find(offered, demand), offered.end());
    EXPECT_EQ(shared_usage(client), 0u);
    EXPECT_EQ(client.swapchain({.mode = demand, .min_images = 1}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(SharedImage, IsOneImage) {
    begin();
    EXPECT_EQ(client_->swapchain({.mode = demand, .min_images = 1}).images.size(), 1u);
    EXPECT_EQ(client_->swapchain({.mode = demand, .min_images = 2}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(SharedImage, IsCommittedByEveryPresentAfterOneAcquire) {
    begin();
    const Swapchain swapchain = client_->swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    const auto rendered = make_semaphore(client_->device);
    uint32_t index = client_->acquire_and_render(swapchain, rendered);
    ASSERT_EQ(client_->present_after(swapchain, index, {rendered}), VK_SUCCESS);
    for (int frame = 1; frame < 5; ++frame) {
        client_->renderer.submit({}, {rendered});
        ASSERT_EQ(client_->present_after(swapchain, index, {rendered}), VK_SUCCESS);
    }
    compositor_->settle();
    EXPECT_EQ(compositor_->commits(), 5u);
    EXPECT_EQ(compositor_->commit_at(0).buffer, compositor_->commit_at(4).buffer);
}

// The compositor goes on showing the image. So nothing else makes it free.
TEST_F(SharedImage, CanBeAcquiredAndPresentedAgainAfterItsRelease) {
    begin();
    const Swapchain swapchain = client_->swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    for (size_t frame = 1; frame < 4; ++frame) {
        ASSERT_EQ(client_->frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client_->device);
        compositor_->settle();
        EXPECT_EQ(compositor_->commits(), frame);
        EXPECT_EQ(client_->acquire(swapchain, 0).result, VK_NOT_READY) << "it is still acquired";
        ASSERT_EQ(release(swapchain, 0), VK_SUCCESS);
    }
}

// As if somebody had stopped it. libwayland would end the connection once the socket is full.
TEST_F(SharedImage, ACompositorThatDoesNotReadReceivesNoMoreCommits) {
    begin();
    const Swapchain swapchain = client_->swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    ASSERT_EQ(client_->frame(swapchain), VK_SUCCESS);
    const VkRectLayerKHR rectangle{{1, 2}, {3, 4}, 0};
    const VkPresentRegionKHR region{1, &rectangle};
    const VkPresentRegionsKHR regions{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 1, &region};
    compositor_->freeze();
    {
        const SkippedWaits skipped;
        for (int frame = 0; frame < 5000; ++frame)
            ASSERT_EQ(test::present(client_->device.queue, swapchain, 0, {}, &regions), VK_SUCCESS);
        EXPECT_LE(std::chrono::nanoseconds(skipped_ns), std::chrono::seconds(1));
    }
    compositor_->thaw();
    compositor_->settle();
    const size_t commits = compositor_->commits();
    EXPECT_LE(commits, 40u);
    // The last one shows all that was drawn since.
    EXPECT_EQ(compositor_->last_commit().damage.size(), 1u);
    EXPECT_NE(compositor_->last_commit().damage.front().width, 3);
    // And those of a compositor that reads are all committed.
    for (size_t frame = 1; frame <= 100; ++frame)
        ASSERT_EQ(client_->present_after(swapchain, 0, {}), VK_SUCCESS);
    compositor_->settle();
    EXPECT_EQ(compositor_->commits(), commits + 100);
}

// Nothing that the compositor has received shows the image of the other swapchain.
TEST_F(SharedImage, TheFirstPresentOfASwapchainIsCommitted) {
    begin();
    const Swapchain first = client_->swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(client_->frame(first), VK_SUCCESS);
    const Swapchain second = client_->swapchain({.mode = demand, .min_images = 1, .old = first});
    const uint32_t index = client_->acquire(second).index;
    compositor_->freeze();
    {
        const SkippedWaits skipped;
        for (int frame = 0; frame < 40; ++frame)
            ASSERT_EQ(client_->present_after(first, 0, {}), VK_SUCCESS);
        ASSERT_EQ(client_->present_after(second, index, {}), VK_SUCCESS);
    }
    compositor_->thaw();
    compositor_->settle();
    EXPECT_NE(compositor_->last_commit().buffer, compositor_->commit_at(0).buffer);
}

// The thread that waits is woken once, however many presents make no commit: requests that wake it
// would fill the socket.
TEST_F(SharedImage, APresentWithoutACommitEndsTheWaitForIt) {
    begin();
    const Swapchain swapchain = client_->swapchain({.mode = demand, .min_images = 1});
    ASSERT_EQ(client_->frame(swapchain), VK_SUCCESS);
    constexpr uint64_t last = 5000;
    uint64_t id = 0;
    const auto present_until = [&](uint64_t end) {
        VkResult result = VK_SUCCESS;
        while (id < end && result == VK_SUCCESS) {
            ++id;
            const VkPresentIdKHR ids{VK_STRUCTURE_TYPE_PRESENT_ID_KHR, nullptr, 1, &id};
            result = test::present(client_->device.queue, swapchain, 0, {}, &ids);
        }
        return result;
    };
    const auto wait = reinterpret_cast<PFN_vkWaitForPresentKHR>(
        vkGetDeviceProcAddr(client_->device, "vkWaitForPresentKHR"));
    const size_t round_trips = compositor_->round_trips();
    compositor_->freeze();
    {
        const SkippedWaits skipped;
        // The last of these make no commit. The waits for the others end after a second.
        EXPECT_EQ(present_until(40), VK_SUCCESS);
        EXPECT_EQ(wait(client_->device, swapchain, 40, forever), VK_SUCCESS);
        std::promise<void> begun;
        before_endless_wait = [&, first = true]() mutable {
            if (std::exchange(first, false))
                begun.set_value();
        };
        auto waited = std::async(std::launch::async,
                                 [&] { return wait(client_->device, swapchain, last, forever); });
        begun.get_future().wait();
        EXPECT_EQ(present_until(last), VK_SUCCESS);
        compositor_->thaw();
        EXPECT_EQ(waited.get(), VK_SUCCESS);
    }
    compositor_->settle();
    EXPECT_LE(compositor_->commits(), 40u);
    EXPECT_LE(compositor_->round_trips(), round_trips + 20);
}

TEST_F(SharedImage, TheStatusIsThatOfTheSwapchain) {
    begin();
    const Swapchain swapchain = client_->swapchain({.mode = demand, .min_images = 1});
    EXPECT_EQ(status(swapchain), VK_SUCCESS);
    const Swapchain next = client_->swapchain({.mode = demand, .min_images = 1, .old = swapchain});
    EXPECT_EQ(status(swapchain), VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_EQ(status(next), VK_SUCCESS);
    compositor_->disconnect_clients();
    EXPECT_EQ(client_->swapchain({.mode = demand, .min_images = 1, .old = next}).result,
              VK_ERROR_SURFACE_LOST_KHR);
}

} // namespace
} // namespace fencebridge::test
