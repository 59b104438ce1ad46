// SPDX-License-Identifier: MIT
// Swapchains of the layer's on VK_EXT_headless_surface. This second window system shows that the
// rest of the layer does not depend on Wayland.
#include <array>
#include <thread>

#include "fixture.hpp"
#include "headless.hpp"
#include "layer.hpp"
#include "swapchain.hpp"

namespace fencebridge::test {
namespace {

class HeadlessTest : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_instance_extension(headless_extension);
    }

    const InstanceRequest request_{.extensions = {"VK_KHR_surface", headless_extension}};
    const EnvironmentVariable info_{"FENCEBRIDGE_LOG_LEVEL", "info"};
    const EnvironmentVariable takeover_{"FENCEBRIDGE_TAKEOVER", "on"};
};

TEST_F(HeadlessTest, AnInstanceWithoutWaylandIsTakenOver) {
    const Instance instance{request_};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
}

TEST_F(HeadlessTest, AnInstanceWithoutWaylandPassesThroughUnlessTakeoverIsOn) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    const Instance instance{request_};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
}

TEST_F(HeadlessTest, BesideWaylandASurfaceIsTheDriversUnlessTakeoverIsOn) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    const Instance instance{
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", headless_extension}}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const HeadlessSurface surface{instance};
    uint32_t formats = 0;
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(instance.physical_device(), surface, &formats,
                                                   nullptr),
              VK_SUCCESS);
    EXPECT_EQ(formats, 1U) << "the fake driver's own surfaces have one format";
}

// The driver's own extensions for swapchains work there, so they are not hidden.
TEST_F(HeadlessTest, ADriverThatPresentsToHeadlessSurfacesKeepsItsExtensions) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    fake_driver().add_device_extension(0, "VK_EXT_full_screen_exclusive");
    const Instance instance{request_};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(as_set(device_extensions(instance.physical_device()))
                    .contains("VK_EXT_full_screen_exclusive"));
}

// Older drivers of Mesa crash in vkGetPhysicalDeviceSurfaceSupportKHR. The fake driver's version
// is 0.0.1.
TEST_F(HeadlessTest, ADriverThatMayNotKnowHeadlessSurfacesIsNotAsked) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    fake_driver().set_driver_id(0, VK_DRIVER_ID_MESA_LLVMPIPE);
    const Instance instance{request_};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const VkPhysicalDevice physical = instance.physical_device();
    const Device device{physical};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const HeadlessSurface surface{instance};
    VkBool32 supported = VK_FALSE;
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(physical, 0, surface, &supported), VK_SUCCESS);
    EXPECT_EQ(supported, VK_TRUE);
    EXPECT_EQ(fake_driver().call_count("vkGetPhysicalDeviceSurfaceSupportKHR"), 0U);
}

TEST_F(HeadlessTest, ADriverThatCannotBeAskedKeepsItsSurfaces) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    const Instance instance{request_};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const VkPhysicalDevice physical = instance.physical_device();
    const StderrCapture log;
    // Not vkCreateHeadlessSurfaceEXT: newer loaders call that later, and hide its failure.
    fake_driver().fail_call("vkGetPhysicalDeviceSurfaceSupportKHR", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    for (int time = 0; time < 2; ++time) {
        const Device device{physical};
        ASSERT_EQ(device.result(), VK_SUCCESS);
        EXPECT_FALSE(is_taken_over(device));
    }
    EXPECT_EQ(fake_driver().injected_failures(), 1U);
    EXPECT_EQ(log.lines_with("memory was short").size(), 1U);
}

/// With takeover=auto, on a driver without VK_EXT_headless_surface.
class WithoutDriversHeadlessTest : public DriverTest {
protected:
    static void expect_a_swapchain(const InstanceRequest& request) {
        const Instance instance{request};
        ASSERT_EQ(instance.result(), VK_SUCCESS);
        const Device device{instance.physical_device()};
        ASSERT_EQ(device.result(), VK_SUCCESS);
        EXPECT_TRUE(is_taken_over(device));
        const HeadlessSurface surface{instance};
        VkBool32 supported = VK_FALSE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(instance.physical_device(), 0, surface,
                                                       &supported),
                  VK_SUCCESS);
        EXPECT_TRUE(supported);
        const Swapchain swapchain{device, surface};
        ASSERT_EQ(swapchain.result(), VK_SUCCESS);
        EXPECT_EQ(show_frame(device, swapchain), VK_SUCCESS);
        EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 0U);
        EXPECT_FALSE(as_set(extensions_of(last_instance_create())).contains(headless_extension));
    }
};

TEST_F(WithoutDriversHeadlessTest, ASwapchainIsTheLayers) {
    expect_a_swapchain({.extensions = {"VK_KHR_surface", headless_extension}});
}

TEST_F(WithoutDriversHeadlessTest, BesideWaylandASwapchainIsTheLayers) {
    expect_a_swapchain(
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", headless_extension}});
}

TEST_F(WithoutDriversHeadlessTest, ADriverNeedsNoWindowSystem) {
    fake_driver().set_native_wsi(VK_FALSE);
    expect_a_swapchain({.extensions = {"VK_KHR_surface", headless_extension}});
}

TEST_F(WithoutDriversHeadlessTest, NothingIsTakenOverIfTakeoverIsOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance{{.extensions = {"VK_KHR_surface", headless_extension}}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
}

TEST_F(HeadlessTest, HdrMetadataOfTheDriversSwapchainReachTheDriver) {
    const EnvironmentVariable automatic{"FENCEBRIDGE_TAKEOVER", "auto"};
    fake_driver().add_device_extension(0, VK_EXT_HDR_METADATA_EXTENSION_NAME);
    const Instance instance{
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", headless_extension}}};
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_swapchain", VK_EXT_HDR_METADATA_EXTENSION_NAME}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    const auto set = reinterpret_cast<PFN_vkSetHdrMetadataEXT>(
        vkGetDeviceProcAddr(device, "vkSetHdrMetadataEXT"));
    ASSERT_NE(set, nullptr);
    const VkHdrMetadataEXT metadata{.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
    const VkSwapchainKHR handle = swapchain;
    set(device, 1, &handle, &metadata);
    EXPECT_EQ(fake_driver().call_count("vkSetHdrMetadataEXT"), 1U);
}

TEST_F(HeadlessTest, EveryPresentedFrameIsCounted) {
    const StderrCapture log;
    const Instance instance{request_};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    {
        const HeadlessSurface surface{instance};
        const Swapchain swapchain{device, surface};
        ASSERT_EQ(swapchain.result(), VK_SUCCESS);
        for (int frame = 0; frame < 100; ++frame)
            ASSERT_EQ(show_frame(device, swapchain), VK_SUCCESS) << "frame " << frame;
    }
    EXPECT_EQ(log.lines_with("headless swapchain closed: frames=100 shown=").size(), 1U);
    EXPECT_EQ(log.lines_with("swapchain closed: acquired=100 presented=100").size(), 1U);
}

TEST_F(HeadlessTest, AcquireTimesOutWhileTheApplicationHoldsAllImages) {
    const Instance instance{request_};
    const Device device{instance.physical_device()};
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    std::vector<VkFence> fences(swapchain.image_count());
    for (VkFence& fence : fences) {
        const VkFenceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
        ASSERT_EQ(vkCreateFence(device, &info, nullptr, &fence), VK_SUCCESS);
        uint32_t index = UINT32_MAX;
        EXPECT_EQ(vkAcquireNextImageKHR(device, swapchain, 0, VK_NULL_HANDLE, fence, &index),
                  VK_SUCCESS);
    }
    uint32_t index = UINT32_MAX;
    EXPECT_EQ(vkAcquireNextImageKHR(device, swapchain, 0, VK_NULL_HANDLE, fences[0], &index),
              VK_NOT_READY);
    EXPECT_EQ(
        vkAcquireNextImageKHR(device, swapchain, 1'000'000, VK_NULL_HANDLE, fences[0], &index),
        VK_TIMEOUT);
    for (const VkFence fence : fences)
        vkDestroyFence(device, fence, nullptr);
}

TEST_F(HeadlessTest, ASwapchainCanChangeBetweenBothPresentModes) {
    const Instance instance{request_};
    const Device device{
        instance.physical_device(),
        {.extensions = {"VK_KHR_swapchain", VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const HeadlessSurface surface{instance};
    constexpr std::array modes{VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR};
    const VkSwapchainPresentModesCreateInfoEXT listed{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT,
        .pNext = nullptr,
        .presentModeCount = modes.size(),
        .pPresentModes = modes.data()};
    const Swapchain swapchain{device, surface, VK_NULL_HANDLE, &listed};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    const StderrCapture log;
    for (const VkPresentModeKHR mode : modes) {
        const VkSwapchainPresentModeInfoEXT changed{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
            .pNext = nullptr,
            .swapchainCount = 1,
            .pPresentModes = &mode};
        Frame frame{device};
        ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
        ASSERT_EQ(frame.submit(), VK_SUCCESS);
        EXPECT_EQ(frame.present(swapchain, VK_NULL_HANDLE, &changed), VK_SUCCESS);
        EXPECT_EQ(frame.finish(), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device.queue()), VK_SUCCESS);
    }
    EXPECT_TRUE(log.lines_with("error").empty());
}

TEST_F(HeadlessTest, AnImageCanBeReleasedWithoutAPresent) {
    const Instance instance{request_};
    const Device device{
        instance.physical_device(),
        {.extensions = {"VK_KHR_swapchain", VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    const auto release =
        device.function<PFN_vkReleaseSwapchainImagesEXT>("vkReleaseSwapchainImagesEXT");
    ASSERT_NE(release, nullptr);
    for (uint32_t i = 0; i < 3 * swapchain.image_count(); ++i) {
        Frame frame{device};
        ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
        ASSERT_EQ(frame.submit(), VK_SUCCESS);
        ASSERT_EQ(frame.finish(), VK_SUCCESS);
        const uint32_t index = frame.index();
        const VkReleaseSwapchainImagesInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT,
            .pNext = nullptr,
            .swapchain = swapchain,
            .imageIndexCount = 1,
            .pImageIndices = &index};
        EXPECT_EQ(release(device, &info), VK_SUCCESS);
    }
}

TEST_F(HeadlessTest, APresentThatLosesTheDeviceEndsTheWaitForIt) {
    const Instance instance{request_};
    const Device device{instance.physical_device(),
                        {.extensions = {"VK_KHR_swapchain", VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                        VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
                                        VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    const auto wait = device.function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    ASSERT_NE(wait, nullptr);
    Frame frame{device};
    ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
    ASSERT_EQ(frame.submit(), VK_SUCCESS);
    const VkFenceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkFence fence = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateFence(device, &info, nullptr, &fence), VK_SUCCESS);
    const uint64_t id = 1;
    const VkPresentIdKHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                             .pNext = nullptr,
                             .swapchainCount = 1,
                             .pPresentIds = &id};
    EXPECT_EQ(wait(device, swapchain, id, 0), VK_TIMEOUT);
    std::thread waiting(
        [&] { EXPECT_EQ(wait(device, swapchain, id, UINT64_MAX), VK_ERROR_DEVICE_LOST); });
    for (uint32_t nth = 1; nth <= 2; ++nth)
        fake_driver().fail_call("vkImportFenceFdKHR", nth, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(frame.present(swapchain, fence, &ids), VK_ERROR_DEVICE_LOST);
    waiting.join();
    EXPECT_EQ(frame.finish(), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device.queue()), VK_SUCCESS);
    // The driver's device is intact, and the application may wait for the fence.
    EXPECT_EQ(vkGetFenceStatus(device, fence), VK_SUCCESS);
    vkDestroyFence(device, fence, nullptr);
}

TEST_F(HeadlessTest, TheDriverSeesNoSwapchain) {
    const Instance instance{request_};
    const Device device{instance.physical_device()};
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 0U);
}

} // namespace
} // namespace fencebridge::test
