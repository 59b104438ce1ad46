// SPDX-License-Identifier: MIT
// A device that the layer cannot take over behaves as if the layer were absent. For a device that
// it takes over, the layer adds extensions to a copy of the application's list.
#include <algorithm>
#include <array>
#include <cstring>
#include <ostream>
#include <span>

#include "fixture.hpp"
#include "layer.hpp"
#include "window.hpp"

namespace fencebridge::test {
namespace {

/// What a driver lacks, and the words that the log line about it has to contain.
struct Shortcoming {
    const char* name;
    void (*arrange)();
    const char* words;
};

void PrintTo(const Shortcoming& row, std::ostream* out) { *out << row.name; }

const Shortcoming shortcomings[]{
    {"NoExternalMemoryFd",
     [] { fake_driver().hide_device_extension(0, "VK_KHR_external_memory_fd"); },
     "VK_EXT_external_memory_dma_buf"},
    {"NoExternalMemoryDmaBuf",
     [] { fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf"); },
     "VK_EXT_external_memory_dma_buf"},
};

/// The structures that an application chains to its VkDeviceCreateInfo.
struct ChainedRequest {
    VkPhysicalDevice16BitStorageFeatures last{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
        .pNext = nullptr,
        .storageBuffer16BitAccess = VK_FALSE,
        .uniformAndStorageBuffer16BitAccess = VK_FALSE,
        .storagePushConstant16 = VK_FALSE,
        .storageInputOutput16 = VK_FALSE};
    VkPhysicalDeviceFeatures2 first{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &last, .features = {}};
};

/// The bytes of an object, padding included.
template <class Object>
auto bytes_of(const Object& object) {
    std::array<std::byte, sizeof(Object)> bytes;
    std::memcpy(bytes.data(), &object, sizeof(Object));
    return bytes;
}

class PassThroughDevice : public DriverTest, public testing::WithParamInterface<Shortcoming> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        GetParam().arrange();
    }
};

TEST_P(PassThroughDevice, TheDriverReceivesTheApplicationsExtensionsAndChain) {
    const Instance instance;
    ChainedRequest chain;
    const std::vector<const char*> extensions{"VK_KHR_swapchain", "VK_EXT_queue_family_foreign"};
    const Device device{instance.physical_device(),
                        {.extensions = extensions, .next = &chain.first}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(fake_driver().device_creates(), 1U);
    const FakeDriverCreate& seen = last_device_create();
    EXPECT_EQ(extensions_of(seen),
              (std::vector<std::string>{extensions.begin(), extensions.end()}));
    ASSERT_EQ(seen.next_count, 2U);
    EXPECT_EQ(seen.next_addresses[0], &chain.first);
    EXPECT_EQ(seen.next_addresses[1], &chain.last);
    EXPECT_EQ(chain.first.pNext, &chain.last);
    EXPECT_FALSE(is_taken_over(device));
    EXPECT_NE(device.function<PFN_vkVoidFunction>("vkCreateSwapchainKHR"), nullptr);
}

TEST_P(PassThroughDevice, OneLogLineNamesWhatIsMissing) {
    const StderrCapture log;
    const Instance instance;
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    const auto lines = log.lines_with("the driver's own swapchains");
    ASSERT_EQ(lines.size(), 1U);
    // A warning, or information if an earlier test has had the same.
    EXPECT_NE(lines.front().find(": device \"Fake GPU 0\""), std::string::npos) << lines.front();
    EXPECT_NE(lines.front().find(GetParam().words), std::string::npos) << lines.front();
}

TEST_P(PassThroughDevice, TheListedExtensionsAreTheDrivers) {
    fake_driver().add_device_extension(0, "VK_GOOGLE_display_timing");
    const Instance instance;
    const Names names = as_set(device_extensions(instance.physical_device()));
    EXPECT_TRUE(names.contains("VK_GOOGLE_display_timing"));
    EXPECT_TRUE(names.contains("VK_KHR_swapchain"));
}

TEST_P(PassThroughDevice, SurfaceQueriesReachTheDriver) {
    Compositor compositor;
    const Window window{compositor};
    const Instance instance;
    const VkPhysicalDevice physical_device = instance.physical_device();
    const WindowSurface surface{instance, window};
    ASSERT_EQ(surface.result(), VK_SUCCESS);
    VkBool32 supported = VK_FALSE;
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(physical_device, 0, surface, &supported),
              VK_SUCCESS);
    EXPECT_EQ(supported, VK_TRUE);
    VkSurfaceCapabilitiesKHR capabilities{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(physical_device, surface, &capabilities),
              VK_SUCCESS);
    EXPECT_EQ(capabilities.minImageCount, static_cast<uint32_t>(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    EXPECT_EQ(capabilities.currentExtent.width, static_cast<uint32_t>(FAKE_DRIVER_NATIVE_WIDTH));
    uint32_t count = 1;
    VkSurfaceFormatKHR format{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(physical_device, surface, &count, &format),
              VK_SUCCESS);
    EXPECT_EQ(format.format, FAKE_DRIVER_NATIVE_FORMAT);
    VkPresentModeKHR mode{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(physical_device, surface, &count, &mode),
              VK_SUCCESS);
    EXPECT_EQ(mode, VK_PRESENT_MODE_IMMEDIATE_KHR);
    // The layer has committed nothing.
    EXPECT_EQ(compositor.requests("wl_surface", "commit"), 0U);
}

// The layer provides the instance extensions of these structures, and the fake driver does not know
// them.
TEST_P(PassThroughDevice, StructuresThatTheDriverLeavesUnchangedAnswerThatNothingIsSupported) {
    Compositor compositor;
    const Window window{compositor};
    const Instance instance{
        {.extensions = {"VK_KHR_surface", "VK_KHR_wayland_surface",
                        "VK_KHR_get_surface_capabilities2", "VK_EXT_surface_maintenance1",
                        "VK_KHR_surface_protected_capabilities"}}};
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    const WindowSurface surface{instance, window};
    VkSurfacePresentModeEXT mode{VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, nullptr,
                                 VK_PRESENT_MODE_IMMEDIATE_KHR};
    const VkPhysicalDeviceSurfaceInfo2KHR info{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
                                               &mode, surface};
    VkSurfaceProtectedCapabilitiesKHR protection{
        VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR, nullptr, VK_TRUE};
    VkSurfacePresentScalingCapabilitiesEXT scaling{
        VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT, &protection, 1, 1, 1, {}, {}};
    VkSurfacePresentModeCompatibilityEXT compatible{
        VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT, &scaling, 77, nullptr};
    VkSurfaceCapabilities2KHR capabilities{
        VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR, &compatible, {}};
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    ASSERT_EQ(get(instance.physical_device(), &info, &capabilities), VK_SUCCESS);
    EXPECT_EQ(capabilities.surfaceCapabilities.minImageCount,
              static_cast<uint32_t>(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    EXPECT_EQ(compatible.presentModeCount, 1U);
    EXPECT_EQ(protection.supportsProtected, VK_FALSE);
    EXPECT_EQ(scaling.supportedPresentScaling, 0U);
    EXPECT_EQ(scaling.minScaledImageExtent.width,
              capabilities.surfaceCapabilities.minImageExtent.width);
    EXPECT_EQ(scaling.maxScaledImageExtent.height,
              capabilities.surfaceCapabilities.maxImageExtent.height);
    std::array<VkPresentModeKHR, 3> modes{};
    compatible.pPresentModes = modes.data();
    compatible.presentModeCount = 3;
    ASSERT_EQ(get(instance.physical_device(), &info, &capabilities), VK_SUCCESS);
    EXPECT_EQ(compatible.presentModeCount, 1U);
    EXPECT_EQ(modes[0], VK_PRESENT_MODE_IMMEDIATE_KHR);
}

TEST_P(PassThroughDevice, SwapchainsAreTheDrivers) {
    Compositor compositor;
    const Window window{compositor};
    const Instance instance;
    const WindowSurface surface{instance, window};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    VkSwapchainCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR;
    info.surface = surface;
    info.minImageCount = FAKE_DRIVER_NATIVE_MIN_IMAGES;
    info.imageFormat = FAKE_DRIVER_NATIVE_FORMAT;
    info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
    info.imageExtent = {FAKE_DRIVER_NATIVE_WIDTH, FAKE_DRIVER_NATIVE_HEIGHT};
    info.imageArrayLayers = 1;
    info.imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
    info.preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR;
    info.compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR;
    info.presentMode = VK_PRESENT_MODE_IMMEDIATE_KHR;
    VkSwapchainKHR swapchain = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateSwapchainKHR(device, &info, nullptr, &swapchain), VK_SUCCESS);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 1U);
    uint32_t count = 0;
    EXPECT_EQ(vkGetSwapchainImagesKHR(device, swapchain, &count, nullptr), VK_SUCCESS);
    EXPECT_EQ(count, static_cast<uint32_t>(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    const VkFenceCreateInfo fence_info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
    VkFence fence = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateFence(device, &fence_info, nullptr, &fence), VK_SUCCESS);
    uint32_t index = 99;
    EXPECT_EQ(vkAcquireNextImageKHR(device, swapchain, 0, VK_NULL_HANDLE, fence, &index),
              VK_SUCCESS);
    EXPECT_EQ(index, 0U);
    VkPresentInfoKHR present{};
    present.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR;
    present.swapchainCount = 1;
    present.pSwapchains = &swapchain;
    present.pImageIndices = &index;
    EXPECT_EQ(vkQueuePresentKHR(device.queue(), &present), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkQueuePresentKHR"), 1U);
    vkDestroySwapchainKHR(device, swapchain, nullptr);
    vkDestroyFence(device, fence, nullptr);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 0U);
    EXPECT_EQ(compositor.commits(), 0U);
}

INSTANTIATE_TEST_SUITE_P(, PassThroughDevice, testing::ValuesIn(shortcomings),
                         [](const auto& row) { return std::string{row.param.name}; });

class DriverWithoutWsi : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().set_native_wsi(VK_FALSE);
    }
};

TEST_F(DriverWithoutWsi, VkKhrSwapchainIsListedOnceAndNotEnabledOnTheDriver) {
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    expect_that_only_the_layer_has_swapchains(instance);
    EXPECT_FALSE(as_set(extensions_of(last_instance_create())).contains("VK_KHR_wayland_surface"));
}

TEST_F(DriverWithoutWsi, ADeviceThatPassesThroughHasNoSwapchains) {
    fake_driver().hide_device_extension(0, "VK_EXT_external_memory_dma_buf");
    const Instance instance;
    ASSERT_EQ(instance.result(), VK_SUCCESS);
    EXPECT_FALSE(
        as_set(device_extensions(instance.physical_device())).contains("VK_KHR_swapchain"));
    EXPECT_EQ(Device(instance.physical_device()).result(), VK_ERROR_EXTENSION_NOT_PRESENT);
}

class AddedExtensions : public DriverTest {
protected:
    static void expect_additions(const std::vector<const char*>& asked) {
        const auto seen = extensions_of(last_device_create());
        const Names unique = as_set(seen);
        EXPECT_EQ(unique.size(), seen.size()) << "an extension is there twice";
        for (const char* const name : asked)
            EXPECT_TRUE(unique.contains(name)) << name;
        for (const char* const name : added_device_extensions)
            EXPECT_TRUE(unique.contains(name)) << name;
    }
};

TEST_F(AddedExtensions, VkCreateDeviceDoesNotChangeTheApplicationsStructures) {
    const Instance instance;
    const float priority = 1.0F;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                        .pNext = nullptr,
                                        .flags = 0,
                                        .queueFamilyIndex = 0,
                                        .queueCount = 1,
                                        .pQueuePriorities = &priority};
    ChainedRequest chain;
    const std::array extensions{"VK_KHR_swapchain", "VK_EXT_queue_family_foreign"};
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &chain.first;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = extensions.size();
    info.ppEnabledExtensionNames = extensions.data();
    const auto info_before = bytes_of(info);
    const auto chain_before = bytes_of(chain);
    const auto extensions_before = extensions;
    VkDevice device = VK_NULL_HANDLE;
    ASSERT_EQ(vkCreateDevice(instance.physical_device(), &info, nullptr, &device), VK_SUCCESS);
    EXPECT_EQ(bytes_of(info), info_before);
    EXPECT_EQ(bytes_of(chain), chain_before);
    EXPECT_EQ(extensions, extensions_before);
    expect_additions({"VK_KHR_swapchain", "VK_EXT_queue_family_foreign"});
    ASSERT_GE(last_device_create().next_count, 2U);
    const FakeDriverCreate& seen = last_device_create();
    const std::span<const void* const> addresses{seen.next_addresses, seen.next_count};
    EXPECT_EQ(std::ranges::count(addresses, static_cast<const void*>(&chain.first)), 1);
    EXPECT_EQ(std::ranges::count(addresses, static_cast<const void*>(&chain.last)), 1);
    vkDestroyDevice(device, nullptr);
}

TEST_F(AddedExtensions, AnExtensionThatTheApplicationEnablesIsNotAddedAgain) {
    const Instance instance;
    const std::vector<const char*> asked{"VK_EXT_image_drm_format_modifier", "VK_KHR_swapchain",
                                         "VK_KHR_external_fence_fd", "VK_KHR_external_memory_fd"};
    const Device device{instance.physical_device(), {.extensions = asked}};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    expect_additions(asked);
}

TEST_F(AddedExtensions, CreatingADeviceThatIsTakenOverLogsNoWarning) {
    const StderrCapture log;
    const Instance instance;
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(log.lines_with("the driver's own swapchains").size(), 0U);
    EXPECT_EQ(log.lines_with("warning").size(), 0U);
}

TEST_F(AddedExtensions, NoExtensionIsAddedIfTheInstanceHasNoWaylandSurfaces) {
    const Instance instance{{.extensions = {"VK_KHR_surface"}}};
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(extensions_of(last_instance_create()), std::vector<std::string>{"VK_KHR_surface"});
    EXPECT_EQ(extensions_of(last_device_create()), std::vector<std::string>{"VK_KHR_swapchain"});
    EXPECT_FALSE(is_taken_over(device));
}

// A loader may list the extensions of an implicit layer for every device. If the layer does not
// take the device over, the loader leaves out what the driver lacks.
TEST_F(AddedExtensions, AnExtensionOfTheLayerCanBeEnabledWithAndWithoutATakeover) {
    const std::vector<const char*> asked{"VK_KHR_swapchain", "VK_KHR_incremental_present"};
    for (const char* takeover : {"on", "off"}) {
        const EnvironmentVariable setting{"FENCEBRIDGE_TAKEOVER", takeover};
        const Instance instance;
        const Device device{instance.physical_device(), {.extensions = asked}};
        ASSERT_EQ(device.result(), VK_SUCCESS) << takeover;
        const Names seen = as_set(extensions_of(last_device_create()));
        EXPECT_TRUE(seen.contains("VK_KHR_swapchain")) << takeover;
        EXPECT_FALSE(seen.contains("VK_KHR_incremental_present")) << takeover;
    }
}

TEST_F(AddedExtensions, NoExtensionIsAddedIfTakeoverIsOff) {
    const EnvironmentVariable off{"FENCEBRIDGE_TAKEOVER", "off"};
    const Instance instance;
    const Device device{instance.physical_device()};
    ASSERT_EQ(device.result(), VK_SUCCESS);
    EXPECT_EQ(extensions_of(last_instance_create()),
              (std::vector<std::string>{"VK_KHR_surface", "VK_KHR_wayland_surface"}));
    EXPECT_EQ(extensions_of(last_device_create()), std::vector<std::string>{"VK_KHR_swapchain"});
    EXPECT_FALSE(is_taken_over(device));
}

} // namespace
} // namespace fencebridge::test
