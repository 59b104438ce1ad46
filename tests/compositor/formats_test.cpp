// SPDX-License-Identifier: MIT
// Which formats a surface has: those that driver and compositor share, under the specification's
// rule about UNORM and SRGB formats. And what the first query of a surface asks the driver.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <array>

namespace fencebridge::test {
namespace {

struct Pixels {
    VkFormat format;
    uint32_t alpha; // the DRM format that blends
    uint32_t opaque;
};

// In the order in which the layer lists them.
const std::array all_pixels = {
    Pixels{VK_FORMAT_B8G8R8A8_SRGB, drm_argb8888, drm_xrgb8888},
    Pixels{VK_FORMAT_B8G8R8A8_UNORM, drm_argb8888, drm_xrgb8888},
    Pixels{VK_FORMAT_R8G8B8A8_SRGB, drm_abgr8888, drm_xbgr8888},
    Pixels{VK_FORMAT_R8G8B8A8_UNORM, drm_abgr8888, drm_xbgr8888},
    Pixels{VK_FORMAT_A2R10G10B10_UNORM_PACK32, fourcc('A', 'R', '3', '0'),
           fourcc('X', 'R', '3', '0')},
    Pixels{VK_FORMAT_A2B10G10R10_UNORM_PACK32, fourcc('A', 'B', '3', '0'),
           fourcc('X', 'B', '3', '0')},
    Pixels{VK_FORMAT_R16G16B16A16_SFLOAT, fourcc('A', 'B', '4', 'H'), fourcc('X', 'B', '4', 'H')},
    Pixels{VK_FORMAT_R16G16B16A16_UNORM, fourcc('A', 'B', '4', '8'), fourcc('X', 'B', '4', '8')},
    Pixels{VK_FORMAT_R8G8B8_SRGB, fourcc('B', 'G', '2', '4'), fourcc('B', 'G', '2', '4')},
    Pixels{VK_FORMAT_R8G8B8_UNORM, fourcc('B', 'G', '2', '4'), fourcc('B', 'G', '2', '4')},
    Pixels{VK_FORMAT_B8G8R8_SRGB, fourcc('R', 'G', '2', '4'), fourcc('R', 'G', '2', '4')},
    Pixels{VK_FORMAT_B8G8R8_UNORM, fourcc('R', 'G', '2', '4'), fourcc('R', 'G', '2', '4')},
    Pixels{VK_FORMAT_R5G6B5_UNORM_PACK16, fourcc('R', 'G', '1', '6'), fourcc('R', 'G', '1', '6')},
    Pixels{VK_FORMAT_B5G6R5_UNORM_PACK16, fourcc('B', 'G', '1', '6'), fourcc('B', 'G', '1', '6')},
    Pixels{VK_FORMAT_A1R5G5B5_UNORM_PACK16, fourcc('A', 'R', '1', '5'), fourcc('X', 'R', '1', '5')},
    Pixels{VK_FORMAT_R5G5B5A1_UNORM_PACK16, fourcc('R', 'A', '1', '5'), fourcc('R', 'X', '1', '5')},
    Pixels{VK_FORMAT_B5G5R5A1_UNORM_PACK16, fourcc('B', 'A', '1', '5'), fourcc('B', 'X', '1', '5')},
    Pixels{VK_FORMAT_R4G4B4A4_UNORM_PACK16, fourcc('R', 'A', '1', '2'), fourcc('R', 'X', '1', '2')},
    Pixels{VK_FORMAT_B4G4R4A4_UNORM_PACK16, fourcc('B', 'A', '1', '2'), fourcc('B', 'X', '1', '2')},
    Pixels{VK_FORMAT_A4R4G4B4_UNORM_PACK16, fourcc('A', 'R', '1', '2'), fourcc('X', 'R', '1', '2')},
    Pixels{VK_FORMAT_A4B4G4R4_UNORM_PACK16, fourcc('A', 'B', '1', '2'), fourcc('X', 'B', '1', '2')},
};

constexpr std::array of_extension = {VK_FORMAT_A4R4G4B4_UNORM_PACK16,
                                     VK_FORMAT_A4B4G4R4_UNORM_PACK16};

Feedback feedback_of_all() {
    Tranche tranche;
    for (const Pixels& pixels : all_pixels) {
        tranche.formats.push_back({pixels.alpha, drm_linear});
        tranche.formats.push_back({pixels.opaque, drm_linear});
    }
    return {0, {tranche}};
}

enum class Driver {
    shares,      // it exports images of the format
    renders,     // it has the format, and exports no image of it
    lacks_format // it does not have it
};

void set_format(VkFormat format, Driver driver) {
    FakeDriverModifier linear = driver_modifier(drm_linear);
    linear.exportable = driver == Driver::shares;
    fake_driver().set_format(FAKE_DRIVER_ALL_DEVICES, format,
                             driver == Driver::lacks_format ? 0 : 1, &linear);
}

std::vector<VkFormat> formats_of(VkPhysicalDevice device, VkSurfaceKHR surface) {
    uint32_t count = 0;
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(device, surface, &count, nullptr), VK_SUCCESS);
    std::vector<VkSurfaceFormatKHR> pairs(count);
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(device, surface, &count, pairs.data()),
              VK_SUCCESS);
    std::vector<VkFormat> formats;
    for (const VkSurfaceFormatKHR& pair : pairs) {
        EXPECT_EQ(pair.colorSpace, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR);
        formats.push_back(pair.format);
    }
    return formats;
}

class Formats : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        // Otherwise the layer presents copies of images that cannot be shared.
        fake_driver().set_shares_buffers(FAKE_DRIVER_ALL_DEVICES, VK_FALSE);
        for (const Pixels& pixels : all_pixels)
            set_format(pixels.format, Driver::shares);
    }
};

std::vector<VkFormat> all_formats() {
    std::vector<VkFormat> formats;
    std::ranges::transform(all_pixels, std::back_inserter(formats), &Pixels::format);
    return formats;
}

std::vector<VkFormat> all_formats_without(std::span<const VkFormat> some) {
    std::vector<VkFormat> formats = all_formats();
    std::erase_if(formats, [&](VkFormat format) { return std::ranges::count(some, format) != 0; });
    return formats;
}

TEST_F(Formats, AreAllThatDriverAndCompositorShare) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, VK_EXT_4444_FORMATS_EXTENSION_NAME);
    Client client(start({.feedback = feedback_of_all()}));
    EXPECT_EQ(formats_of(client.device.physical, client.surface), all_formats());
}

TEST_F(Formats, OfAnExtensionNeedItOrVulkan13) {
    App app(start({.feedback = feedback_of_all()}));
    const auto window = app.new_surface();
    for (const auto& [version, expected] :
         {std::pair(VK_API_VERSION_1_2, all_formats_without(of_extension)),
          std::pair(VK_API_VERSION_1_3, all_formats())}) {
        const auto instance = make_instance({.api_version = version});
        const Device device(instance);
        const auto surface = make_surface(instance, app, window);
        EXPECT_EQ(formats_of(device.physical, surface), expected);
    }
}

TEST_F(Formats, AreShownAsTheDrmFormatOfTheirChannelOrder) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, VK_EXT_4444_FORMATS_EXTENSION_NAME);
    Compositor& compositor = start({.feedback = feedback_of_all()});
    Client client(compositor);
    for (const Pixels& pixels : all_pixels) {
        SCOPED_TRACE(pixels.format);
        for (const auto& [alpha, drm_format] :
             {std::pair(VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR, pixels.opaque),
              std::pair(VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR, pixels.alpha)}) {
            const auto swapchain = client.swapchain({.format = pixels.format, .alpha = alpha});
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
            vkDeviceWaitIdle(client.device);
            EXPECT_EQ(compositor.last_commit().format, drm_format);
        }
    }
}

// A UNORM format and its SRGB format are listed together, or the device cannot render to the other.
TEST_F(Formats, WithoutTheirTwinAreLeftOut) {
    set_format(VK_FORMAT_R8G8B8_SRGB, Driver::renders);
    set_format(VK_FORMAT_B8G8R8_UNORM, Driver::renders);
    Client client(start({.feedback = feedback_of_all()}));
    constexpr std::array left_out = {
        VK_FORMAT_R8G8B8_SRGB,  VK_FORMAT_R8G8B8_UNORM,          VK_FORMAT_B8G8R8_SRGB,
        VK_FORMAT_B8G8R8_UNORM, VK_FORMAT_A4R4G4B4_UNORM_PACK16, VK_FORMAT_A4B4G4R4_UNORM_PACK16};
    EXPECT_EQ(formats_of(client.device.physical, client.surface), all_formats_without(left_out));
}

TEST_F(Formats, WhoseTwinTheDeviceLacksStay) {
    set_format(VK_FORMAT_R8G8B8_SRGB, Driver::lacks_format);
    Client client(start({.feedback = feedback_of_all()}));
    constexpr std::array left_out = {VK_FORMAT_R8G8B8_SRGB, VK_FORMAT_A4R4G4B4_UNORM_PACK16,
                                     VK_FORMAT_A4B4G4R4_UNORM_PACK16};
    EXPECT_EQ(formats_of(client.device.physical, client.surface), all_formats_without(left_out));
}

// A driver that cannot export SRGB images still has a window system.
TEST_F(Formats, WithoutTheirTwinStayIfNoneHasOne) {
    for (const VkFormat format : {VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_R8G8B8A8_SRGB,
                                  VK_FORMAT_R8G8B8_SRGB, VK_FORMAT_B8G8R8_SRGB})
        set_format(format, Driver::renders);
    Client client(start({.feedback = feedback_of_all()}));
    const auto formats = formats_of(client.device.physical, client.surface);
    EXPECT_EQ(formats.front(), VK_FORMAT_B8G8R8A8_UNORM);
    EXPECT_EQ(formats.size(), all_pixels.size() - of_extension.size() - 4);
}

// A format without an alpha channel does not hide those whose alpha channel the compositor ignores.
TEST_F(Formats, WithoutAlphaDoNotDecideAboutBlending) {
    Client client(start(
        {.feedback = {
             0,
             {{0, 0, {{drm_xrgb8888, drm_linear}, {fourcc('R', 'G', '1', '6'), drm_linear}}}}}}));
    EXPECT_EQ(formats_of(client.device.physical, client.surface),
              (std::vector{VK_FORMAT_B8G8R8A8_SRGB, VK_FORMAT_B8G8R8A8_UNORM,
                           VK_FORMAT_R5G6B5_UNORM_PACK16}));
    VkSurfaceCapabilitiesKHR capabilities{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    EXPECT_EQ(capabilities.supportedCompositeAlpha,
              VkCompositeAlphaFlagsKHR(VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR));
}

TEST_F(Formats, LackOfMemoryIsTheResultOfAQueryAndNotRemembered) {
    Client client(start());
    // The client has asked about its own surface. The driver is asked about formats that the
    // compositor has not named before.
    compositor_->on_thread([](Scene& scene) { scene.set_feedback(feedback_of_all()); });
    const auto surface = make_surface(client.instance, client.app, client.window);
    fake_driver().fail_call("vkGetPhysicalDeviceImageFormatProperties2", 1,
                            VK_ERROR_OUT_OF_HOST_MEMORY);
    uint32_t count = 0;
    EXPECT_EQ(
        vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, surface, &count, nullptr),
        VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(formats_of(client.device.physical, surface).size(), all_formats().size() - 2);
}

TEST_F(Formats, LackOfMemoryIsTheResultOfAQueryWithoutASurfaceAndNotRemembered) {
    InstanceOptions options;
    options.extensions.push_back(VK_GOOGLE_SURFACELESS_QUERY_EXTENSION_NAME);
    const auto instance = make_instance(options);
    const Device device(instance);
    fake_driver().fail_call("vkGetPhysicalDeviceImageFormatProperties2", 1,
                            VK_ERROR_OUT_OF_DEVICE_MEMORY);
    uint32_t count = 0;
    EXPECT_EQ(
        vkGetPhysicalDeviceSurfaceFormatsKHR(device.physical, VK_NULL_HANDLE, &count, nullptr),
        VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(formats_of(device.physical, VK_NULL_HANDLE).size(), 2u);
}

// Every query of vkCreateSwapchainKHR fails once.
TEST_F(Formats, LackOfMemoryInAQueryOfVkCreateSwapchainIsItsResult) {
    Client client(start());
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    uint32_t nth = 1;
    for (;; ++nth) {
        SCOPED_TRACE(nth);
        const uint32_t before = fake_driver().injected_failures();
        fake_driver().fail_call("vkGetPhysicalDeviceImageFormatProperties2", nth,
                                VK_ERROR_OUT_OF_DEVICE_MEMORY);
        const VkResult result = client.swapchain().result;
        fake_driver().clear_failures();
        if (fake_driver().injected_failures() == before)
            break;
        EXPECT_EQ(result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
        if (HasFailure())
            return;
    }
    EXPECT_GT(nth, 1u);
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

TEST_F(Formats, OnlyThoseOfTheListCanBeUsed) {
    set_format(VK_FORMAT_R8G8B8_SRGB, Driver::renders);
    Client client(start({.feedback = feedback_of_all()}));
    EXPECT_EQ(client.swapchain({.format = VK_FORMAT_R8G8B8_UNORM}).result,
              VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(client.swapchain({.format = VK_FORMAT_A4R4G4B4_UNORM_PACK16}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

// Two calls list the modifiers of a format.
TEST_F(Formats, AreQueriedOnceAndOnlyIfTheCompositorHasThem) {
    Client client(start());
    const auto queries = [] {
        return fake_driver().call_count("vkGetPhysicalDeviceFormatProperties2");
    };
    EXPECT_EQ(formats_of(client.device.physical, client.surface).size(), 4u);
    EXPECT_EQ(queries(), 8u);
    const SecondWindow second(client);
    EXPECT_EQ(formats_of(client.device.physical, second.surface).size(), 4u);
    EXPECT_EQ(queries(), 8u);
}

} // namespace
} // namespace fencebridge::test
