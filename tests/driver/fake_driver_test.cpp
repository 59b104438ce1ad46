// SPDX-License-Identifier: MIT
// The fake driver alone: settings, logs, injected failures, and what it reports as misuse.
#include "fake_driver_fixture.hpp"

namespace fencebridge::test {
namespace {

TEST_F(FakeDriverTest, HiddenExtensionsAreNotListed) {
    fake_driver().hide_instance_extension("VK_KHR_external_fence_capabilities");
    fake_driver().hide_device_extension(0, "VK_KHR_external_fence_fd");
    fake_driver().add_device_extension(0, "VK_GOOGLE_display_timing");
    EXPECT_FALSE(as_set(instance_extensions()).contains("VK_KHR_external_fence_capabilities"));
    make_device({});
    const Names names = as_set(device_extensions(instance_->physical_device()));
    EXPECT_FALSE(names.contains("VK_KHR_external_fence_fd"));
    EXPECT_TRUE(names.contains("VK_GOOGLE_display_timing"));
    EXPECT_TRUE(names.contains("VK_KHR_swapchain"));
    fake_driver().set_native_wsi(VK_FALSE);
    EXPECT_FALSE(
        as_set(device_extensions(instance_->physical_device())).contains("VK_KHR_swapchain"));
}

TEST_F(FakeDriverTest, TheExtensionsOfCreateCallsAreRecorded) {
    make_device({"VK_KHR_swapchain", "VK_KHR_external_memory_fd"});
    EXPECT_EQ(extensions_of(last_device_create()),
              (std::vector<std::string>{"VK_KHR_swapchain", "VK_KHR_external_memory_fd"}));
    EXPECT_EQ(last_instance_create().api_version, VK_API_VERSION_1_3);
    EXPECT_EQ(last_instance_create().next_count, 0U);
    EXPECT_EQ(Device(instance_->physical_device(), {.extensions = {"VK_EXT_none"}}).result(),
              VK_ERROR_EXTENSION_NOT_PRESENT);
}

TEST_F(FakeDriverTest, CallsAreCountedButNotLoggedIfTheLogIsOff) {
    make_device({});
    const uint64_t logged = fake_driver().log_size();
    EXPECT_GT(logged, 0U);
    fake_driver().set_keep_log(VK_FALSE);
    const uint64_t made = fake_driver().call_count("vkCreateSemaphore");
    vkDestroySemaphore(*device_, make_semaphore(false), nullptr);
    EXPECT_EQ(fake_driver().log_size(), logged);
    EXPECT_EQ(fake_driver().call_count("vkCreateSemaphore"), made + 1);
}

TEST_F(FakeDriverTest, OnlyFunctionsOfTheDevicesVersionAreFound) {
    fake_driver().set_device_version(FAKE_DRIVER_ALL_DEVICES, VK_API_VERSION_1_1);
    make_device({});
    VkPhysicalDeviceProperties properties{};
    vkGetPhysicalDeviceProperties(instance_->physical_device(), &properties);
    EXPECT_EQ(properties.apiVersion, VK_API_VERSION_1_1);
    EXPECT_NE(device_->function<PFN_vkVoidFunction>("vkBindImageMemory2"), nullptr);
    EXPECT_EQ(device_->function<PFN_vkVoidFunction>("vkQueueSubmit2"), nullptr);
    // A function of an extension is found only if the extension is enabled.
    EXPECT_EQ(device_->function<PFN_vkVoidFunction>("vkGetMemoryFdKHR"), nullptr);
}

TEST_F(FakeDriverTest, TheNthCallFailsOnce) {
    make_device({});
    fake_driver().fail_call("vkCreateSemaphore", 2, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    const VkSemaphore first = make_semaphore(false);
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkSemaphore second_one = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateSemaphore(*device_, &info, nullptr, &second_one),
              VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(vkCreateSemaphore(*device_, &info, nullptr, &second_one), VK_SUCCESS);
    EXPECT_EQ(fake_driver().injected_failures(), 1U);
    EXPECT_STREQ(fake_driver().last_injected(), "vkCreateSemaphore");
    EXPECT_EQ(fake_driver().call_count("vkCreateSemaphore"), 3U);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SEMAPHORE), 2U);
    vkDestroySemaphore(*device_, first, nullptr);
    vkDestroySemaphore(*device_, second_one, nullptr);
}

TEST_F(FakeDriverMisuse, AnObjectLeftAtVkDestroyDeviceIsReported) {
    make_device({});
    (void)make_semaphore(false);
    device_.reset();
}

TEST_F(FakeDriverMisuse, AnExtensionWithoutItsDependencyIsReported) {
    fake_driver().set_device_version(0, VK_API_VERSION_1_0);
    make_device({"VK_KHR_external_fence_fd"});
}

TEST_F(FakeDriverMisuse, AWaitOnASemaphoreThatNothingSignalsIsReported) {
    make_device({});
    const VkSemaphore semaphore = make_semaphore(false);
    submit({semaphore}, {});
    vkDestroySemaphore(*device_, semaphore, nullptr);
}

TEST_F(FakeDriverMisuse, DestroyingASemaphoreOfAnUnfinishedBatchIsReported) {
    make_device({});
    const VkSemaphore semaphore = make_semaphore(false);
    const Commands commands = make_commands();
    fake_driver().hold_rendering(VK_TRUE);
    submit({}, {semaphore}, VK_NULL_HANDLE, commands.buffer);
    vkDestroySemaphore(*device_, semaphore, nullptr);
    fake_driver().hold_rendering(VK_FALSE);
    vkDestroyCommandPool(*device_, commands.pool, nullptr);
}

} // namespace
} // namespace fencebridge::test
