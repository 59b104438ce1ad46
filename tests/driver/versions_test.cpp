// SPDX-License-Identifier: MIT
// Applications and drivers of different versions of Vulkan.
#include <algorithm>
#include <ostream>
#include <string>

#include "fixture.hpp"
#include "headless.hpp"
#include "layer.hpp"
#include "swapchain.hpp"

namespace fencebridge::test {
namespace {

constexpr std::array capability_extensions{
    "VK_KHR_get_physical_device_properties2",
    "VK_KHR_external_memory_capabilities",
    "VK_KHR_external_semaphore_capabilities",
    "VK_KHR_external_fence_capabilities",
};

struct VersionPair {
    const char* name;
    uint32_t driver;
    uint32_t application; // 0: no VkApplicationInfo
};

void PrintTo(const VersionPair& row, std::ostream* out) { *out << row.name; }

const VersionPair version_pairs[]{
    {"Driver10_Application10", VK_API_VERSION_1_0, VK_API_VERSION_1_0},
    {"Driver10_Application11", VK_API_VERSION_1_0, VK_API_VERSION_1_1},
    {"Driver10_Application13", VK_API_VERSION_1_0, VK_API_VERSION_1_3},
    {"Driver11_Application10", VK_API_VERSION_1_1, VK_API_VERSION_1_0},
    {"Driver11_Application11", VK_API_VERSION_1_1, VK_API_VERSION_1_1},
    {"Driver11_Application13", VK_API_VERSION_1_1, VK_API_VERSION_1_3},
    {"Driver13_NoApplicationInfo", VK_API_VERSION_1_3, 0},
    {"Driver13_Application10", VK_API_VERSION_1_3, VK_API_VERSION_1_0},
    {"Driver13_Application11", VK_API_VERSION_1_3, VK_API_VERSION_1_1},
    {"Driver13_Application13", VK_API_VERSION_1_3, VK_API_VERSION_1_3},
};

class Versions : public DriverTest, public testing::WithParamInterface<VersionPair> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().set_instance_version(GetParam().driver);
        fake_driver().set_device_version(FAKE_DRIVER_ALL_DEVICES, GetParam().driver);
    }

    /// The version that both sides can use.
    static uint32_t common() {
        return std::min(GetParam().driver, std::max(GetParam().application, VK_API_VERSION_1_0));
    }
};

TEST_P(Versions, TheDeviceIsTakenOverWithTheExtensionsThatItsVersionNeeds) {
    const Instance instance{{.api_version = GetParam().application}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const Names of_instance = as_set(extensions_of(last_instance_create()));
    for (const char* const name : capability_extensions) {
        EXPECT_TRUE(of_instance.contains(name) || common() >= VK_API_VERSION_1_1) << name;
    }
    // The fake driver reports a device extension whose dependency is missing at this version.
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const Names of_device = as_set(extensions_of(last_device_create()));
    for (const char* const name : added_device_extensions)
        EXPECT_TRUE(of_device.contains(name)) << name;
    EXPECT_EQ(of_device.size(), last_device_create().extension_count);
}

TEST_P(Versions, FunctionsOfALaterVersionStayAbsent) {
    const Instance instance{{.api_version = GetParam().application}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const bool has_1_1 = common() >= VK_API_VERSION_1_1;
    EXPECT_EQ(device.function<PFN_vkVoidFunction>("vkBindImageMemory2") != nullptr, has_1_1);
    EXPECT_EQ(device.function<PFN_vkVoidFunction>("vkNoSuchFunction"), nullptr);
}

class DriverOfVulkan10 : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().set_instance_version(VK_API_VERSION_1_0);
        fake_driver().set_device_version(0, VK_API_VERSION_1_0);
    }
};

/// The driver has VK_KHR_external_fence_fd, but lacks its dependency VK_KHR_external_fence. The
/// layer can do without both. The fake driver reports a misuse if VK_KHR_external_fence_fd is
/// enabled nevertheless.
TEST_F(DriverOfVulkan10, IsTakenOverWithoutTheDependencyOfAnOptionalExtension) {
    fake_driver().set_queue_count(0, 3);
    fake_driver().hide_device_extension(0, "VK_KHR_external_fence");
    const Instance instance{{.api_version = VK_API_VERSION_1_0}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const Names enabled = as_set(extensions_of(last_device_create()));
    EXPECT_TRUE(enabled.contains("VK_KHR_external_semaphore_fd"));
    EXPECT_FALSE(enabled.contains("VK_KHR_external_fence_fd"));
}

/// A driver of Vulkan 1.0 that lacks what VK_EXT_image_drm_format_modifier requires. Its images are
/// LINEAR.
class WithoutModifiers : public DriverOfVulkan10,
                         public testing::WithParamInterface<const char*> {};

TEST_P(WithoutModifiers, ADriverOfVulkan10IsTakenOver) {
    fake_driver().hide_device_extension(0, GetParam());
    const Instance instance{{.api_version = VK_API_VERSION_1_0}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_TRUE(is_taken_over(device));
    const Names enabled = as_set(extensions_of(last_device_create()));
    EXPECT_FALSE(enabled.contains("VK_EXT_image_drm_format_modifier"));
    EXPECT_TRUE(enabled.contains("VK_EXT_external_memory_dma_buf"));
}

/// The fake driver reports VK_IMAGE_CREATE_ALIAS_BIT without VK_KHR_bind_memory2.
TEST_P(WithoutModifiers, ImagesCanBeAliasedOnlyIfTheDriverKnowsThat) {
    fake_driver().hide_device_extension(0, GetParam());
    const Instance instance{
        {.api_version = VK_API_VERSION_1_0, .extensions = {"VK_KHR_surface", headless_extension}}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(as_set(extensions_of(last_device_create())).contains("VK_KHR_bind_memory2"),
              GetParam() != std::string{"VK_KHR_bind_memory2"});
    const HeadlessSurface surface{instance};
    const Swapchain swapchain{device, surface};
    EXPECT_EQ(swapchain.result(), VK_SUCCESS);
}

/// The parameter: the driver's version.
class DriverWith4444Formats : public DriverTest, public testing::WithParamInterface<uint32_t> {};

TEST_P(DriverWith4444Formats, TheExtensionIsEnabledWhereVulkanLacksTheFormats) {
    fake_driver().set_device_version(0, GetParam());
    const auto enables = [] {
        const Instance instance{{.api_version = VK_API_VERSION_1_3}};
        const Device device{instance.physical_device()};
        EXPECT_EQ(device.result(), VK_SUCCESS);
        return as_set(extensions_of(last_device_create())).contains("VK_EXT_4444_formats");
    };
    EXPECT_FALSE(enables()); // the driver lacks it
    fake_driver().add_device_extension(0, "VK_EXT_4444_formats");
    EXPECT_EQ(enables(), GetParam() < VK_API_VERSION_1_3);
}

INSTANTIATE_TEST_SUITE_P(, DriverWith4444Formats,
                         testing::Values(VK_API_VERSION_1_0, VK_API_VERSION_1_2,
                                         VK_API_VERSION_1_3),
                         [](const auto& row) {
                             return "Vulkan1" + std::to_string(VK_API_VERSION_MINOR(row.param));
                         });

INSTANTIATE_TEST_SUITE_P(, WithoutModifiers,
                         testing::Values("VK_KHR_bind_memory2", "VK_KHR_sampler_ycbcr_conversion",
                                         "VK_KHR_maintenance1", "VK_KHR_image_format_list"),
                         [](const auto& row) { return std::string{row.param}; });

INSTANTIATE_TEST_SUITE_P(, Versions, testing::ValuesIn(version_pairs),
                         [](const auto& row) { return std::string{row.param.name}; });

/// A driver of Vulkan 1.0 that lacks a dependency of an extension that the layer needs.
class MissingDependency : public DriverOfVulkan10,
                          public testing::WithParamInterface<const char*> {};

TEST_P(MissingDependency, ADriverOfVulkan10PassesThrough) {
    fake_driver().hide_device_extension(0, GetParam());
    const StderrCapture log;
    const Instance instance{{.api_version = VK_API_VERSION_1_0}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
    EXPECT_EQ(extensions_of(last_device_create()), std::vector<std::string>{"VK_KHR_swapchain"});
    const auto lines = log.lines_with("the driver's own swapchains");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_NE(lines.front().find(GetParam()), std::string::npos) << lines.front();
}

INSTANTIATE_TEST_SUITE_P(, MissingDependency,
                         testing::Values("VK_KHR_external_memory",
                                         "VK_KHR_get_memory_requirements2",
                                         "VK_KHR_dedicated_allocation"),
                         [](const auto& row) { return std::string{row.param}; });

class InstanceFailure : public DriverTest, public testing::WithParamInterface<VkResult> {};

/// The extensions that the driver receives without a layer: the loader adds some of its own.
std::vector<std::string> extensions_without_layer(const InstanceRequest& request) {
    const EnvironmentVariable no_layer{"VK_INSTANCE_LAYERS", ""};
    const Instance instance{request};
    EXPECT_EQ(instance.result(), VK_SUCCESS);
    return extensions_of(last_instance_create());
}

TEST_P(InstanceFailure, VkCreateInstanceIsRetriedWithoutTheAddedExtensions) {
    const InstanceRequest request{.api_version = VK_API_VERSION_1_0};
    const auto untouched = extensions_without_layer(request);
    fake_driver().fail_instance_with_extension("VK_KHR_external_fence_capabilities", GetParam());
    const StderrCapture log;
    const Instance instance{request};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const auto lines = log.lines_with("using the drivers' own swapchains for this instance");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().ends_with(
        "added extensions VK_KHR_get_physical_device_properties2, "
        "VK_KHR_external_memory_capabilities, VK_KHR_external_semaphore_capabilities, "
        "VK_KHR_external_fence_capabilities"))
        << lines.front();
    EXPECT_EQ(extensions_of(last_instance_create()), untouched);
    // Without these extensions the layer cannot query what it needs, so the device passes through.
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_FALSE(is_taken_over(device));
    EXPECT_EQ(extensions_of(last_device_create()), std::vector<std::string>{"VK_KHR_swapchain"});
}

INSTANTIATE_TEST_SUITE_P(, InstanceFailure,
                         testing::Values(VK_ERROR_EXTENSION_NOT_PRESENT,
                                         VK_ERROR_INITIALIZATION_FAILED,
                                         VK_ERROR_INCOMPATIBLE_DRIVER),
                         [](const auto& row) {
                             switch (row.param) {
                             case VK_ERROR_EXTENSION_NOT_PRESENT:
                                 return "ExtensionNotPresent";
                             case VK_ERROR_INITIALIZATION_FAILED:
                                 return "InitializationFailed";
                             default:
                                 return "IncompatibleDriver";
                             }
                         });

TEST(UnrelatedInstanceFailure, VkCreateInstanceReturnsTheFailure) {
    fake_driver().reset();
    fake_driver().fail_instance_with_extension("VK_KHR_wayland_surface",
                                               VK_ERROR_OUT_OF_HOST_MEMORY);
    const Instance instance{{.api_version = VK_API_VERSION_1_0}};
    EXPECT_EQ(instance.result(), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_INSTANCE), 0U);
}

} // namespace
} // namespace fencebridge::test
