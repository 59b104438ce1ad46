// SPDX-License-Identifier: MIT
// Invariant 9: the layer answers the surface queries of all extensions, and the answers agree.
#include "fake_driver/control.hpp"
#include "fixture.hpp"

#include <algorithm>
#include <array>

namespace fencebridge::test {
namespace {

class SurfaceQueries : public CompositorTest {};

// An application that enables one more instance extension, which the driver has as well.
struct Application {
    Application(Compositor& compositor, const char* extension) :
        app(compositor), instance(make(extension)), device(instance), window(app.new_surface()),
        surface(make_surface(instance, app, window)) {}

    static Owned<VkInstance> make(const char* extension) {
        fake_driver().add_instance_extension(extension);
        InstanceOptions options;
        options.extensions.push_back(extension);
        return make_instance(options);
    }

    App app;
    Owned<VkInstance> instance;
    Device device;
    Owned<wl_surface*> window;
    Owned<VkSurfaceKHR> surface;
};

TEST_F(SurfaceQueries, Capabilities2EXTReportsNoCountersAndOtherwiseTheUsualCapabilities) {
    const Application application(start(), VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME);
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2EXT>(
        vkGetInstanceProcAddr(application.instance, "vkGetPhysicalDeviceSurfaceCapabilities2EXT"));
    ASSERT_NE(get, nullptr);
    VkSurfaceCapabilitiesKHR usual{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(application.device.physical,
                                                        application.surface, &usual),
              VK_SUCCESS);
    VkSurfaceCapabilities2EXT extended{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_EXT};
    ASSERT_EQ(get(application.device.physical, application.surface, &extended), VK_SUCCESS);
    EXPECT_EQ(extended.minImageCount, usual.minImageCount);
    EXPECT_EQ(extended.maxImageCount, usual.maxImageCount);
    EXPECT_EQ(extended.currentExtent.width, usual.currentExtent.width);
    EXPECT_EQ(extended.currentExtent.height, usual.currentExtent.height);
    EXPECT_EQ(extended.minImageExtent.width, usual.minImageExtent.width);
    EXPECT_EQ(extended.maxImageExtent.height, usual.maxImageExtent.height);
    EXPECT_EQ(extended.maxImageArrayLayers, usual.maxImageArrayLayers);
    EXPECT_EQ(extended.supportedTransforms, usual.supportedTransforms);
    EXPECT_EQ(extended.currentTransform, usual.currentTransform);
    EXPECT_EQ(extended.supportedCompositeAlpha, usual.supportedCompositeAlpha);
    EXPECT_EQ(extended.supportedUsageFlags, usual.supportedUsageFlags);
    EXPECT_EQ(extended.supportedSurfaceCounters, 0u);
    EXPECT_EQ(fake_driver().call_count("vkGetPhysicalDeviceSurfaceCapabilities2EXT"), 0u);
}

TEST_F(SurfaceQueries, AQueryWithoutASurfaceReturnsWhatEverySurfaceSupports) {
    const Application application(start(), VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME);
    std::array<VkPresentModeKHR, 8> modes{};
    auto count = uint32_t(modes.size());
    ASSERT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(application.device.physical, VK_NULL_HANDLE,
                                                        &count, modes.data()),
              VK_SUCCESS);
    ASSERT_EQ(count, 1u);
    EXPECT_EQ(modes[0], VK_PRESENT_MODE_FIFO_KHR);

    std::array<VkSurfaceFormatKHR, 8> formats{};
    count = uint32_t(formats.size());
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(application.device.physical, VK_NULL_HANDLE,
                                                   &count, formats.data()),
              VK_SUCCESS);
    ASSERT_EQ(count, 2u);
    EXPECT_EQ(formats[0].format, VK_FORMAT_R8G8B8A8_UNORM);
    EXPECT_EQ(formats[1].format, VK_FORMAT_R8G8B8A8_SRGB);

    VkSurfaceProtectedCapabilitiesKHR protection{
        VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR};
    protection.supportsProtected = VK_TRUE;
    query_capabilities(application.instance, application.device, VK_NULL_HANDLE, &protection);
    EXPECT_EQ(protection.supportsProtected, VK_FALSE);
    // Without that structure, what depends on a surface has these values.
    const auto alone =
        query_capabilities(application.instance, application.device, VK_NULL_HANDLE, nullptr);
    EXPECT_TRUE(alone.supportedUsageFlags & VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT);
    EXPECT_EQ(alone.minImageCount, UINT32_MAX);
    EXPECT_EQ(alone.maxImageCount, UINT32_MAX);
    EXPECT_EQ(alone.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(alone.currentTransform, VK_SURFACE_TRANSFORM_INHERIT_BIT_KHR);
}

TEST_F(SurfaceQueries, APresentModeHasItsMinimumOfImagesAllOtherModesAndNoScaling) {
    const Application application(start(), "VK_EXT_surface_maintenance1");
    struct Mode {
        VkPresentModeKHR named, other;
        uint32_t min_images;
    };
    for (const auto& [named, other, min_images] :
         {Mode{VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR, 2},
          Mode{VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_FIFO_KHR, 4}}) {
        const VkSurfacePresentModeEXT mode{VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT, nullptr,
                                           named};
        const VkPhysicalDeviceSurfaceInfo2KHR info{
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, &mode, application.surface};
        VkSurfacePresentScalingCapabilitiesEXT scaling{
            VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT, nullptr, 1, 1, 1, {}, {}};
        std::array<VkPresentModeKHR, 8> modes{};
        VkSurfacePresentModeCompatibilityEXT compatible{
            VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT, &scaling,
            uint32_t(modes.size()), modes.data()};
        VkSurfaceCapabilities2KHR capabilities{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
                                               &compatible};
        const auto get =
            reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(vkGetInstanceProcAddr(
                application.instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
        ASSERT_EQ(get(application.device.physical, &info, &capabilities), VK_SUCCESS);
        const VkSurfaceCapabilitiesKHR& common = capabilities.surfaceCapabilities;
        EXPECT_EQ(common.minImageCount, min_images);
        EXPECT_EQ(compatible.presentModeCount, 2u);
        EXPECT_EQ(modes[0], named);
        EXPECT_EQ(modes[1], other);
        EXPECT_EQ(scaling.supportedPresentScaling, 0u);
        EXPECT_EQ(scaling.minScaledImageExtent.width, common.minImageExtent.width);
        EXPECT_EQ(scaling.maxScaledImageExtent.height, common.maxImageExtent.height);
        compatible.presentModeCount = 1;
        ASSERT_EQ(get(application.device.physical, &info, &capabilities), VK_SUCCESS);
        EXPECT_EQ(compatible.presentModeCount, 1u);
        EXPECT_EQ(modes[0], named) << "the implementation must include it";
    }
}

// An output structure of a hidden extension, filled with ones.
struct Answer {
    explicit Answer(uint32_t of) : type(VkStructureType(of)) { words.fill(1); }
    VkStructureType type;
    void* next = nullptr;
    std::array<uint32_t, 4> words;
};

TEST_F(SurfaceQueries, StructuresOfHiddenExtensionsAreZeroed) {
    Client client(start());
    // The types are numbers because the headers may be older: native HDR, exclusive full screen,
    // latency, present barrier, multisampled rendering.
    for (const uint32_t type : {1000213000u, 1000255002u, 1000505008u, 1000292001u, 1000616001u}) {
        Answer answer(type);
        query_capabilities(client.instance, client.device, client.surface, &answer);
        EXPECT_EQ(answer.words[0], 0u) << type;
    }
}

TEST_F(SurfaceQueries, The64BitUsageEqualsSupportedUsageFlags) {
    Client client(start());
    struct {
        VkStructureType type = VkStructureType(1000668002);
        void* next = nullptr;
        uint64_t usage = UINT64_MAX;
    } usage; // VkImageUsageFlags2CreateInfoKHR
    const auto capabilities =
        query_capabilities(client.instance, client.device, client.surface, &usage);
    EXPECT_EQ(usage.usage, capabilities.supportedUsageFlags);
}

} // namespace
} // namespace fencebridge::test
