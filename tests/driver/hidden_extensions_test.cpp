// SPDX-License-Identifier: MIT
// Extensions that act on swapchains and that the layer does not implement. The driver's
// implementation would receive the layer's swapchains. So the layer hides these extensions on
// devices that it can take over.
#include <algorithm>
#include <array>

#include "fixture.hpp"
#include "layer.hpp"

namespace fencebridge::test {
namespace {

class HiddenExtension : public DriverTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, GetParam());
    }

    static bool is_shown(const Instance& instance) {
        return as_set(device_extensions(instance.physical_device())).contains(GetParam());
    }
};

TEST_P(HiddenExtension, IsNotListedIfTheDeviceIsTakenOver) {
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_FALSE(is_shown(instance));
    // Other extensions are listed.
    const Names names = as_set(device_extensions(instance.physical_device()));
    EXPECT_TRUE(names.contains("VK_EXT_queue_family_foreign"));
    EXPECT_TRUE(names.contains("VK_KHR_swapchain"));
}

TEST_P(HiddenExtension, IsListedIfTheInstanceHasNoWaylandSurfaces) {
    const Instance instance{{.extensions = {"VK_KHR_surface"}}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
}

TEST_P(HiddenExtension, IsListedIfTakeoverIsOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
}

TEST_P(HiddenExtension, IsListedIfTheDevicePassesThrough) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_TRUE(is_shown(instance));
    const Device device{instance.physical_device(), {.extensions = {GetParam()}}};
    EXPECT_EQ(device.result(), VK_SUCCESS);
}

// The loader refuses an extension that is not listed, but another layer can still enable it.
TEST_P(HiddenExtension, IsRefusedIfALayerAboveEnablesIt) {
    const Instance instance;
    const StderrCapture log;
    EXPECT_EQ(create_device_from_above(instance, {"VK_KHR_swapchain", GetParam()}),
              VK_ERROR_EXTENSION_NOT_PRESENT);
    EXPECT_EQ(log.lines_with(std::string{" "} + GetParam() + ",").size(), 1U);
}

constexpr const char* hidden[]{
    "VK_AMD_display_native_hdr",
    "VK_EXT_display_control",
    "VK_EXT_full_screen_exclusive",
    "VK_EXT_image_compression_control_swapchain",
    "VK_EXT_multisampled_render_to_swapchain",
    "VK_HUAWEI_hdr_vivid",
    "VK_KHR_display_swapchain",
#ifndef VK_KHR_surface_maintenance1 // built only with headers that have it
    "VK_KHR_swapchain_maintenance1",
#endif
    "VK_NV_low_latency2",
    "VK_NV_present_barrier",
    "VK_NV_present_metering",
};

INSTANTIATE_TEST_SUITE_P(, HiddenExtension, testing::ValuesIn(hidden),
                         [](const auto& row) { return std::string{row.param}; });

/// A command of a hidden extension that the driver returns although the extension is not enabled.
class HiddenCommand : public DriverTest {
protected:
    static bool is_found() {
        const Instance instance;
        const Device device{instance.physical_device()};
        EXPECT_EQ(device.result(), VK_SUCCESS);
        return device.function<PFN_vkVoidFunction>("vkGetSwapchainCounterEXT") != nullptr;
    }
};

TEST_F(HiddenCommand, IsAbsentIfTheDeviceIsTakenOver) { EXPECT_FALSE(is_found()); }

TEST_F(HiddenCommand, IsTheDriversIfTheDevicePassesThrough) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    EXPECT_TRUE(is_found());
}

class OtherWindowSystem : public DriverTest {};

// An application enumerates the extensions of a device, not of a surface. A hidden extension is
// missing for the surfaces of other window systems as well.
TEST_F(OtherWindowSystem, ALogLineSaysThatExtensionsAreHiddenForItsSurfacesToo) {
    const EnvironmentVariable info{"FENCEBRIDGE_LOG_LEVEL", "info"};
    fake_driver().add_instance_extension("VK_KHR_display");
    const StderrCapture log;
    {
        const Instance wayland_alone;
        EXPECT_TRUE(log.lines_with("hides").empty());
    }
    const Instance both{
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface", "VK_KHR_display"}}};
    ASSERT_EQ(both.result(), VK_SUCCESS);
    EXPECT_EQ(log.lines_with("VK_KHR_display").size(), 1U);
}

/// The feature structure of a hidden extension, which older headers lack.
struct FeaturesCase {
    const char* extension;
    uint32_t type; ///< VkStructureType
    uint32_t count;
};

struct Features {
    explicit Features(const FeaturesCase& of) : type{static_cast<VkStructureType>(of.type)} {}

    VkStructureType type;
    void* next{nullptr};
    std::array<VkBool32, 4> on{};
};

class HiddenFeature : public DriverTest, public testing::WithParamInterface<FeaturesCase> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, GetParam().extension);
    }

    /// The number of features that the query of this name reports.
    static long count_shown(const InstanceRequest& request, const char* query) {
        const Instance instance{request};
        EXPECT_EQ(instance.result(), VK_SUCCESS);
        Features features{GetParam()};
        VkPhysicalDeviceFeatures2 all{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                      .pNext = &features,
                                      .features = {}};
        reinterpret_cast<PFN_vkGetPhysicalDeviceFeatures2>(vkGetInstanceProcAddr(instance, query))(
            instance.physical_device(), &all);
        EXPECT_EQ(all.features.robustBufferAccess, VK_TRUE);
        return std::ranges::count(features.on, VK_TRUE);
    }

    static inline const InstanceRequest with_khr{
        .extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface",
                       "VK_KHR_get_physical_device_properties2"}};
    static inline const InstanceRequest of_1_0{
        .api_version = VK_API_VERSION_1_0,
        .extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface",
                       "VK_KHR_get_physical_device_properties2"}};
};

TEST_P(HiddenFeature, IsNotReportedIfTheDeviceIsTakenOver) {
    EXPECT_EQ(count_shown({}, "vkGetPhysicalDeviceFeatures2"), 0);
    EXPECT_EQ(count_shown(with_khr, "vkGetPhysicalDeviceFeatures2KHR"), 0);
    EXPECT_EQ(count_shown(of_1_0, "vkGetPhysicalDeviceFeatures2KHR"), 0);
}

TEST_P(HiddenFeature, IsReportedIfTakeoverIsOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    EXPECT_EQ(count_shown({}, "vkGetPhysicalDeviceFeatures2"), GetParam().count);
}

TEST_P(HiddenFeature, IsReportedIfTheDevicePassesThrough) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    EXPECT_EQ(count_shown({}, "vkGetPhysicalDeviceFeatures2"), GetParam().count);
}

TEST_P(HiddenFeature, IsRefusedByVkCreateDevice) {
    const Instance instance;
    Features features{GetParam()};
    const Device without{instance.physical_device(), {.next = &features}};
    EXPECT_EQ(without.result(), VK_SUCCESS);
    features.on[GetParam().count - 1] = VK_TRUE;
    const Device with{instance.physical_device(), {.next = &features}};
    EXPECT_EQ(with.result(), VK_ERROR_FEATURE_NOT_PRESENT);
    EXPECT_EQ(fake_driver().device_creates(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    , HiddenFeature,
    testing::Values(FeaturesCase{"VK_EXT_image_compression_control_swapchain", 1000437000, 1},
                    FeaturesCase{"VK_EXT_multisampled_render_to_swapchain", 1000616000, 1},
                    FeaturesCase{"VK_HUAWEI_hdr_vivid", 1000590000, 1},
                    FeaturesCase{"VK_NV_present_barrier", 1000292000, 1},
                    FeaturesCase{"VK_NV_present_metering", 1000613001, 1}),
    [](const auto& row) { return std::string{row.param.extension}; });

} // namespace
} // namespace fencebridge::test
