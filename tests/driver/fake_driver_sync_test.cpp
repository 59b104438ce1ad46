// SPDX-License-Identifier: MIT
// The fake driver's semaphores, fences and queues, and their descriptors.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

constexpr uint64_t second = 1'000'000'000;

bool is_readable(int fd) {
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, 0) == 1;
}

TEST_F(FakeDriverTest, AnImportedFenceSignalsWithItsDescriptor) {
    make_device(sync_extensions);
    const VkFence fence = make_fence();
    const int event = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(import_fence(fence, dup(event)), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_NOT_READY);
    EXPECT_EQ(vkWaitForFences(*device_, 1, &fence, VK_TRUE, 1'000'000), VK_TIMEOUT);
    std::thread signaller{[&] { eventfd_write(event, 1); }};
    EXPECT_EQ(vkWaitForFences(*device_, 1, &fence, VK_TRUE, 10 * second), VK_SUCCESS);
    signaller.join();
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_SUCCESS);
    // A reset ends the temporary payload.
    EXPECT_EQ(vkResetFences(*device_, 1, &fence), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_NOT_READY);
    EXPECT_EQ(import_fence(fence, -1), VK_SUCCESS);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_SUCCESS);
    vkDestroyFence(*device_, fence, nullptr);
    close(event);
}

TEST_F(FakeDriverTest, AFailedImportLeavesTheDescriptorToTheCaller) {
    make_device(sync_extensions);
    const VkFence fence = make_fence();
    const int event = eventfd(0, EFD_CLOEXEC);
    fake_driver().fail_call("vkImportFenceFdKHR", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(import_fence(fence, event), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(close(event), 0);
    vkDestroyFence(*device_, fence, nullptr);
}

TEST_F(FakeDriverTest, AnExportedDescriptorBecomesReadableWhenHeldRenderingIsReleased) {
    make_device(sync_extensions);
    const VkSemaphore semaphore = make_semaphore();
    const Commands commands = make_commands();
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {semaphore}, VK_NULL_HANDLE, commands.buffer);
    EXPECT_EQ(fake_driver().held_batches(), 1U);
    const int fd = export_semaphore(semaphore);
    ASSERT_GE(fd, 0);
    EXPECT_FALSE(is_readable(fd));
    EXPECT_EQ(fake_driver().release_one(), VK_TRUE);
    EXPECT_TRUE(is_readable(fd));
    EXPECT_EQ(fake_driver().release_one(), VK_FALSE);
    close(fd);
    vkDestroySemaphore(*device_, semaphore, nullptr);
    vkDestroyCommandPool(*device_, commands.pool, nullptr);
}

TEST_F(FakeDriverTest, ASignalledPayloadIsExportedAsMinusOneOrAsAReadableDescriptor) {
    make_device(sync_extensions);
    const VkSemaphore semaphore = make_semaphore();
    submit({}, {semaphore});
    EXPECT_EQ(export_semaphore(semaphore), -1);
    EXPECT_EQ(fake_driver().exported_sync_fds(), 0U);
    fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
    submit({}, {semaphore});
    const int fd = export_semaphore(semaphore);
    ASSERT_GE(fd, 0);
    EXPECT_TRUE(is_readable(fd));
    EXPECT_EQ(fake_driver().exported_sync_fds(), 1U);
    close(fd);
    vkDestroySemaphore(*device_, semaphore, nullptr);
}

TEST_F(FakeDriverTest, AnExportWaitsForEverySemaphoreOfTheBatch) {
    make_device(sync_extensions);
    const VkSemaphore one = make_semaphore();
    const VkSemaphore other = make_semaphore();
    const VkSemaphore both = make_semaphore();
    const int first = eventfd(0, EFD_CLOEXEC);
    const int last = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(import_semaphore(one, dup(first)), VK_SUCCESS);
    ASSERT_EQ(import_semaphore(other, dup(last)), VK_SUCCESS);
    submit({one, other}, {both});
    const int fd = export_semaphore(both);
    eventfd_write(first, 1);
    EXPECT_FALSE(is_readable(fd));
    eventfd_write(last, 1);
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 10'000), 1);
    for (const int descriptor : {fd, first, last})
        close(descriptor);
    for (const VkSemaphore semaphore : {one, other, both})
        vkDestroySemaphore(*device_, semaphore, nullptr);
}

TEST_F(FakeDriverTest, AnExportWaitsForTheHeldBatchesOfTwoQueues) {
    make_device(sync_extensions);
    const std::array rendered{make_semaphore(), make_semaphore()};
    const VkSemaphore both = make_semaphore();
    const Commands commands = make_commands();
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {rendered[0]}, VK_NULL_HANDLE, commands.buffer, 0);
    submit({}, {rendered[1]}, VK_NULL_HANDLE, commands.buffer, 1);
    submit({rendered[0], rendered[1]}, {both});
    const int fd = export_semaphore(both);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(fake_driver().release_one(), VK_TRUE);
    EXPECT_FALSE(is_readable(fd));
    EXPECT_EQ(fake_driver().release_one(), VK_TRUE);
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 10'000), 1);
    close(fd);
    for (const VkSemaphore semaphore : {rendered[0], rendered[1], both})
        vkDestroySemaphore(*device_, semaphore, nullptr);
    vkDestroyCommandPool(*device_, commands.pool, nullptr);
}

TEST_F(FakeDriverTest, TheFenceOfALaterBatchWaitsForTheHeldOneBeforeIt) {
    make_device({});
    const VkFence fence = make_fence();
    const VkFence elsewhere = make_fence();
    const Commands commands = make_commands();
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {}, VK_NULL_HANDLE, commands.buffer);
    submit({}, {}, fence);
    submit({}, {}, elsewhere, VK_NULL_HANDLE, 1); // another queue is not ordered with the first
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_NOT_READY);
    EXPECT_EQ(vkGetFenceStatus(*device_, elsewhere), VK_SUCCESS);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_SUCCESS);
    EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
    vkDestroyFence(*device_, fence, nullptr);
    vkDestroyFence(*device_, elsewhere, nullptr);
    vkDestroyCommandPool(*device_, commands.pool, nullptr);
}

TEST_F(FakeDriverTest, AWaitForAnyFenceEndsWhenTheFirstSignals) {
    make_device(sync_extensions);
    const std::array fences{make_fence(), make_fence()};
    const int event = eventfd(0, EFD_CLOEXEC);
    ASSERT_EQ(import_fence(fences[0], eventfd(0, EFD_CLOEXEC)), VK_SUCCESS);
    ASSERT_EQ(import_fence(fences[1], dup(event)), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(*device_, 2, fences.data(), VK_FALSE, 0), VK_TIMEOUT);
    eventfd_write(event, 1);
    EXPECT_EQ(vkWaitForFences(*device_, 2, fences.data(), VK_FALSE, 10 * second), VK_SUCCESS);
    EXPECT_EQ(vkWaitForFences(*device_, 2, fences.data(), VK_TRUE, 0), VK_TIMEOUT);
    close(event);
    for (const VkFence fence : fences)
        vkDestroyFence(*device_, fence, nullptr);
}

/// A driver as NVIDIA's without a DRM device: OPAQUE_FD alone.
void lack_sync_files() {
    fake_driver().set_sync_fd_features(0, 0, 0);
    fake_driver().set_opaque_fds(0, VK_TRUE);
}

VkExternalSemaphoreFeatureFlags semaphore_features(VkPhysicalDevice device,
                                                   VkExternalSemaphoreHandleTypeFlagBits type) {
    const VkPhysicalDeviceExternalSemaphoreInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .pNext = nullptr,
        .handleType = type};
    VkExternalSemaphoreProperties properties{};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES;
    vkGetPhysicalDeviceExternalSemaphoreProperties(device, &info, &properties);
    return properties.externalSemaphoreFeatures;
}

VkExternalFenceFeatureFlags fence_features(VkPhysicalDevice device,
                                           VkExternalFenceHandleTypeFlagBits type) {
    const VkPhysicalDeviceExternalFenceInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .pNext = nullptr,
        .handleType = type};
    VkExternalFenceProperties properties{};
    properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES;
    vkGetPhysicalDeviceExternalFenceProperties(device, &info, &properties);
    return properties.externalFenceFeatures;
}

TEST_F(FakeDriverTest, WithoutSyncFilesOnlyOpaqueFdsAreReported) {
    lack_sync_files();
    make_device(sync_extensions);
    const VkPhysicalDevice physical = instance_->physical_device();
    EXPECT_EQ(semaphore_features(physical, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT), 0U);
    EXPECT_NE(semaphore_features(physical, VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT), 0U);
    EXPECT_EQ(fence_features(physical, VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT), 0U);
    EXPECT_NE(fence_features(physical, VK_EXTERNAL_FENCE_HANDLE_TYPE_OPAQUE_FD_BIT), 0U);
    // An object for the export of an OPAQUE_FD can be created.
    const VkExportSemaphoreCreateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .pNext = nullptr,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT};
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exported, .flags = 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateSemaphore(*device_, &info, nullptr, &semaphore), VK_SUCCESS);
    vkDestroySemaphore(*device_, semaphore, nullptr);
}

TEST_F(FakeDriverTest, WithoutSyncFilesFencesStillSignalWithHeldRendering) {
    lack_sync_files();
    make_device({});
    const VkSemaphore rendered = make_semaphore(false);
    const VkFence fence = make_fence();
    const Commands commands = make_commands();
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {rendered}, VK_NULL_HANDLE, commands.buffer);
    submit({rendered}, {}, fence, VK_NULL_HANDLE, 1);
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_NOT_READY);
    EXPECT_EQ(vkWaitForFences(*device_, 1, &fence, VK_TRUE, 1'000'000), VK_TIMEOUT);
    std::thread gpu{[] { EXPECT_EQ(fake_driver().release_one(), VK_TRUE); }};
    EXPECT_EQ(vkWaitForFences(*device_, 1, &fence, VK_TRUE, 10 * second), VK_SUCCESS);
    gpu.join();
    EXPECT_EQ(vkGetFenceStatus(*device_, fence), VK_SUCCESS);
    vkDestroyFence(*device_, fence, nullptr);
    vkDestroySemaphore(*device_, rendered, nullptr);
    vkDestroyCommandPool(*device_, commands.pool, nullptr);
}

TEST_F(FakeDriverMisuse, ASemaphoreForAnExportThatTheDriverLacksIsRefused) {
    lack_sync_files();
    make_device(sync_extensions);
    const VkExportSemaphoreCreateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .pNext = nullptr,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exported, .flags = 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateSemaphore(*device_, &info, nullptr, &semaphore),
              VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(FakeDriverMisuse, AFenceForAnExportThatTheDriverLacksIsRefused) {
    lack_sync_files();
    make_device(sync_extensions);
    const VkExportFenceCreateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                           .pNext = nullptr,
                                           .handleTypes =
                                               VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    const VkFenceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &exported, .flags = 0};
    VkFence fence = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateFence(*device_, &info, nullptr, &fence), VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(FakeDriverMisuse, AnImportThatTheDriverLacksIsRefused) {
    lack_sync_files();
    make_device(sync_extensions);
    const VkSemaphore semaphore = make_semaphore(false);
    EXPECT_EQ(import_semaphore(semaphore, -1), VK_ERROR_INVALID_EXTERNAL_HANDLE);
    vkDestroySemaphore(*device_, semaphore, nullptr);
}

} // namespace
} // namespace fencebridge::test
