// SPDX-License-Identifier: MIT
// Extensions that act on a swapchain the layer does not implement. The driver's own would be handed
// the layer's swapchains, so they are hidden where the layer's swapchains are used.
#include "driver_test.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

class HiddenExtensionTest : public DriverTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, GetParam());
    }

    static bool is_shown(const Instance& instance) {
        return as_set(device_extensions(instance.physical_device())).contains(GetParam());
    }
};

TEST_P(HiddenExtensionTest, IsHiddenWhereTheLayerTakesOver) {
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_FALSE(is_shown(instance));
    // The rest is there.
    const Names names = as_set(device_extensions(instance.physical_device()));
    EXPECT_TRUE(names.contains("VK_EXT_queue_family_foreign"));
    EXPECT_TRUE(names.contains("VK_KHR_swapchain"));
}

TEST_P(HiddenExtensionTest, IsShownWithoutWayland) {
    const Instance instance{{.extensions = {"VK_KHR_surface"}}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
}

TEST_P(HiddenExtensionTest, IsShownWithTakeoverOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
}

TEST_P(HiddenExtensionTest, IsShownWhereTheDevicePassesThrough) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
    const Device device{instance.physical_device(), {.extensions = {GetParam()}}};
    EXPECT_EQ(device.result(), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(OnSwapchains, HiddenExtensionTest,
                         testing::Values("VK_KHR_present_wait", "VK_KHR_present_id",
                                         "VK_KHR_present_wait2", "VK_KHR_present_id2",
                                         "VK_GOOGLE_display_timing", "VK_EXT_hdr_metadata",
                                         "VK_KHR_shared_presentable_image",
                                         "VK_EXT_swapchain_maintenance1",
                                         "VK_KHR_swapchain_maintenance1", "VK_EXT_display_control",
                                         "VK_EXT_present_timing", "VK_EXT_full_screen_exclusive",
                                         "VK_AMD_display_native_hdr", "VK_NV_low_latency2"));

} // namespace
} // namespace fencebridge::test
