// SPDX-License-Identifier: MIT
// A device of the fake driver, through the loader and without a layer, and the calls that its tests
// share.
#pragma once

#include <memory>

#include "fixture.hpp"

namespace fencebridge::test {

inline const std::vector<const char*> sync_extensions{"VK_KHR_external_semaphore_fd",
                                                      "VK_KHR_external_fence_fd"};

class FakeDriverTest : public DriverTest {
protected:
    void make_device(const std::vector<const char*>& extensions) {
        instance_ = std::make_unique<Instance>();
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        device_ = std::make_unique<Device>(instance_->physical_device(),
                                           DeviceRequest{.extensions = extensions});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
    }

    void TearDown() override {
        device_.reset();
        instance_.reset();
        EXPECT_EQ(fake_driver().held_fds(), 0U);
        DriverTest::TearDown();
    }

    VkSemaphore make_semaphore(bool exportable = true) {
        const VkExportSemaphoreCreateInfo exported{
            .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
            .pNext = nullptr,
            .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                         .pNext = exportable ? &exported : nullptr,
                                         .flags = 0};
        VkSemaphore semaphore = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateSemaphore(*device_, &info, nullptr, &semaphore), VK_SUCCESS);
        return semaphore;
    }

    VkFence make_fence() {
        const VkFenceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
        VkFence fence = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateFence(*device_, &info, nullptr, &fence), VK_SUCCESS);
        return fence;
    }

    int export_semaphore(VkSemaphore semaphore) {
        const VkSemaphoreGetFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
                                           .pNext = nullptr,
                                           .semaphore = semaphore,
                                           .handleType =
                                               VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
        int fd = -2;
        EXPECT_EQ(
            device_->function<PFN_vkGetSemaphoreFdKHR>("vkGetSemaphoreFdKHR")(*device_, &info, &fd),
            VK_SUCCESS);
        return fd;
    }

    VkResult import_fence(VkFence fence, int fd) {
        const VkImportFenceFdInfoKHR info{.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
                                          .pNext = nullptr,
                                          .fence = fence,
                                          .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
                                          .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
                                          .fd = fd};
        return device_->function<PFN_vkImportFenceFdKHR>("vkImportFenceFdKHR")(*device_, &info);
    }

    VkResult import_semaphore(VkSemaphore semaphore, int fd) {
        const VkImportSemaphoreFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
            .pNext = nullptr,
            .semaphore = semaphore,
            .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
            .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
            .fd = fd};
        return device_->function<PFN_vkImportSemaphoreFdKHR>("vkImportSemaphoreFdKHR")(*device_,
                                                                                       &info);
    }

    void submit(const std::vector<VkSemaphore>& waits, const std::vector<VkSemaphore>& signals,
                VkFence fence = VK_NULL_HANDLE, VkCommandBuffer commands = VK_NULL_HANDLE,
                uint32_t queue = 0) {
        const std::vector<VkPipelineStageFlags> stages(waits.size(),
                                                       VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
        const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                .pNext = nullptr,
                                .waitSemaphoreCount = static_cast<uint32_t>(waits.size()),
                                .pWaitSemaphores = waits.data(),
                                .pWaitDstStageMask = stages.data(),
                                .commandBufferCount = commands != VK_NULL_HANDLE ? 1U : 0U,
                                .pCommandBuffers = &commands,
                                .signalSemaphoreCount = static_cast<uint32_t>(signals.size()),
                                .pSignalSemaphores = signals.data()};
        EXPECT_EQ(vkQueueSubmit(device_->queue(queue), 1, &info, fence), VK_SUCCESS);
    }

    struct Commands {
        VkCommandPool pool{VK_NULL_HANDLE};
        VkCommandBuffer buffer{VK_NULL_HANDLE};
    };
    /// A command buffer that is being recorded.
    Commands begin_commands() {
        const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                           .pNext = nullptr,
                                           .flags = 0,
                                           .queueFamilyIndex = 0};
        Commands commands;
        EXPECT_EQ(vkCreateCommandPool(*device_, &pool, nullptr, &commands.pool), VK_SUCCESS);
        const VkCommandBufferAllocateInfo info{.sType =
                                                   VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                               .pNext = nullptr,
                                               .commandPool = commands.pool,
                                               .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                               .commandBufferCount = 1};
        EXPECT_EQ(vkAllocateCommandBuffers(*device_, &info, &commands.buffer), VK_SUCCESS);
        const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                             .pNext = nullptr,
                                             .flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
                                             .pInheritanceInfo = nullptr};
        EXPECT_EQ(vkBeginCommandBuffer(commands.buffer, &begin), VK_SUCCESS);
        return commands;
    }
    /// A command buffer without commands.
    Commands make_commands() {
        const Commands commands = begin_commands();
        EXPECT_EQ(vkEndCommandBuffer(commands.buffer), VK_SUCCESS);
        return commands;
    }

    std::unique_ptr<Instance> instance_;
    std::unique_ptr<Device> device_;
};

/// Every test here causes one misuse. TearDown() expects the report and clears it.
class FakeDriverMisuse : public FakeDriverTest {
protected:
    void TearDown() override {
        device_.reset();
        instance_.reset();
        EXPECT_EQ(fake_driver().misuses(), 1U);
        fake_driver().reset();
        FakeDriverTest::TearDown();
    }
};

} // namespace fencebridge::test
