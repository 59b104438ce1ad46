// SPDX-License-Identifier: MIT
// Headless surfaces of a driver that shares nothing: neither dma-bufs nor SYNC_FD, and a single
// queue. Nobody reads the images, and none has to be shared.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "headless.hpp"
#include "layer.hpp"
#include "swapchain.hpp"
#include "vk/newer_headers.hpp"

namespace fencebridge::test {
namespace {

class HeadlessUnshared : public DriverTest, public testing::WithParamInterface<VkPresentModeKHR> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        for (const char* const extension :
             {"VK_KHR_external_memory_fd", "VK_EXT_external_memory_dma_buf",
              "VK_KHR_external_semaphore_fd", "VK_KHR_external_fence_fd"})
            fake_driver().hide_device_extension(0, extension);
        fake_driver().set_queue_count(0, 1);
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        if (device_) {
            EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
            vkDestroyCommandPool(*device_, pool_, nullptr);
        }
        swapchain_.reset();
        surface_.reset();
        device_.reset();
        instance_.reset();
        DriverTest::TearDown();
    }

    void begin(VkPresentModeKHR mode) {
        const EnvironmentVariable refresh{"FENCEBRIDGE_HEADLESS_REFRESH", "1000"};
        instance_.emplace(InstanceRequest{.extensions = {"VK_KHR_surface", headless_extension}});
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        device_.emplace(instance_->physical_device(),
                        DeviceRequest{.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                                     VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                                     VK_KHR_PRESENT_WAIT_EXTENSION_NAME}});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
        EXPECT_TRUE(is_taken_over(*device_));
        surface_.emplace(*instance_);
        swapchain_.emplace(*device_, *surface_, SwapchainRequest{.mode = mode});
        ASSERT_EQ(swapchain_->result(), VK_SUCCESS);
        record();
    }
    /// Commands that do nothing.
    void record() {
        const VkCommandPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                           .pNext = nullptr,
                                           .flags = 0,
                                           .queueFamilyIndex = 0};
        ASSERT_EQ(vkCreateCommandPool(*device_, &info, nullptr, &pool_), VK_SUCCESS);
        const VkCommandBufferAllocateInfo one{.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .pNext = nullptr,
                                              .commandPool = pool_,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
        ASSERT_EQ(vkAllocateCommandBuffers(*device_, &one, &commands_), VK_SUCCESS);
        const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                             .pNext = nullptr,
                                             .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
                                             .pInheritanceInfo = nullptr};
        ASSERT_EQ(vkBeginCommandBuffer(commands_, &begin), VK_SUCCESS);
        ASSERT_EQ(vkEndCommandBuffer(commands_), VK_SUCCESS);
    }
    VkResult present(Frame& frame, uint64_t id) {
        const VkPresentIdKHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                                 .pNext = nullptr,
                                 .swapchainCount = 1,
                                 .pPresentIds = &id};
        return frame.present(*swapchain_, VK_NULL_HANDLE, &ids);
    }
    VkResult wait(uint64_t id, uint64_t timeout) {
        return device_->function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR")(
            *device_, *swapchain_, id, timeout);
    }

    const EnvironmentVariable info_{"FENCEBRIDGE_LOG_LEVEL", "info"};
    std::optional<Instance> instance_;
    std::optional<Device> device_;
    std::optional<HeadlessSurface> surface_;
    std::optional<Swapchain> swapchain_;
    VkCommandPool pool_{VK_NULL_HANDLE};
    VkCommandBuffer commands_{VK_NULL_HANDLE};
};

INSTANTIATE_TEST_SUITE_P(, HeadlessUnshared,
                         testing::Values(VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR,
                                         VK_PRESENT_MODE_IMMEDIATE_KHR,
                                         VK_PRESENT_MODE_FIFO_RELAXED_KHR),
                         [](const auto& tested) { return std::to_string(tested.param); });

TEST_P(HeadlessUnshared, FramesAreShown) {
    const StderrCapture log;
    begin(GetParam());
    for (uint64_t id = 1; id <= 30; ++id) {
        Frame frame{*device_};
        ASSERT_EQ(frame.acquire(*swapchain_), VK_SUCCESS);
        ASSERT_EQ(frame.submit(commands_), VK_SUCCESS);
        ASSERT_EQ(present(frame, id), VK_SUCCESS);
        ASSERT_EQ(frame.finish(), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
    }
    EXPECT_EQ(wait(30, patience_ns), VK_SUCCESS);
    EXPECT_EQ(log.lines_with("allocator=unshared").size(), 1U);
    EXPECT_EQ(fake_driver().call_count("vkQueueWaitIdle"), 30U) << "the test's own";
}

// Invariant 4.
TEST_P(HeadlessUnshared, AnImageIsShownWhenItsRenderingHasEnded) {
    begin(GetParam());
    Frame frame{*device_};
    ASSERT_EQ(frame.acquire(*swapchain_), VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    ASSERT_EQ(frame.submit(commands_), VK_SUCCESS);
    ASSERT_EQ(present(frame, 1), VK_SUCCESS); // does not wait
    EXPECT_EQ(wait(1, 20'000'000), VK_TIMEOUT);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_EQ(wait(1, patience_ns), VK_SUCCESS);
    ASSERT_EQ(frame.finish(), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
}

// No image is acquired while the last rendering to it runs.
TEST_P(HeadlessUnshared, AnImageIsNotReleasedBeforeItsRenderingHasEnded) {
    begin(GetParam());
    fake_driver().hold_rendering(VK_TRUE);
    std::vector<std::unique_ptr<Frame>> frames;
    for (uint32_t i = 0; i < swapchain_->image_count(); ++i) {
        Frame& frame = *frames.emplace_back(std::make_unique<Frame>(*device_));
        ASSERT_EQ(frame.acquire(*swapchain_), VK_SUCCESS);
        ASSERT_EQ(frame.submit(commands_), VK_SUCCESS);
        ASSERT_EQ(present(frame, i + 1), VK_SUCCESS);
    }
    Frame& last = *frames.emplace_back(std::make_unique<Frame>(*device_));
    EXPECT_EQ(last.acquire(*swapchain_, 20'000'000), VK_TIMEOUT);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_EQ(last.acquire(*swapchain_), VK_SUCCESS);
    EXPECT_EQ(last.submit(commands_), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
}

// A surface of Wayland beside it stays the driver's, which has no image to share.
TEST_F(HeadlessUnshared, TheSurfacesOfAnotherWindowSystemAreTheDrivers) {
    instance_.emplace(InstanceRequest{
        .extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", headless_extension}});
    ASSERT_EQ(instance_->result(), VK_SUCCESS);
    device_.emplace(instance_->physical_device());
    EXPECT_TRUE(is_taken_over(*device_));
    surface_.emplace(*instance_);
    swapchain_.emplace(*device_, *surface_);
    EXPECT_EQ(swapchain_->result(), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0U);
}

} // namespace
} // namespace fencebridge::test
