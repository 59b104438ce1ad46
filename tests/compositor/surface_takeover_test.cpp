// SPDX-License-Identifier: MIT
// Invariant 8: a surface is taken over if driver and compositor share a buffer layout. Else it
// passes through.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <array>

namespace fencebridge::test {
namespace {

constexpr uint64_t unknown_modifier = 0x1234;

struct PassThroughCase {
    const char* name;
    Script script;
};

class PassThroughSurface : public CompositorTest,
                           public testing::WithParamInterface<PassThroughCase> {
protected:
    static VkBool32 supported(Client& client) {
        VkBool32 answer = VK_TRUE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface,
                                                       &answer),
                  VK_SUCCESS);
        return answer;
    }
};

// The driver does not know the structures of extensions that only the layer has.
TEST_P(PassThroughSurface, SurfaceQueriesDoNotReportWhatTheDriverLacks) {
    Compositor& compositor = start(GetParam().script);
    Client client(compositor);
    struct {
        VkStructureType type = VkStructureType(1000479000);
        void* next = nullptr;
        VkBool32 supported = VK_TRUE;
    } present_id2; // VkSurfaceCapabilitiesPresentId2KHR, which older headers lack
    const auto capabilities =
        query_capabilities(client.instance, client.device, client.surface, &present_id2);
    EXPECT_EQ(capabilities.minImageCount, uint32_t(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    EXPECT_EQ(present_id2.supported, VK_FALSE);
}

TEST_P(PassThroughSurface, QueriesAndSwapchainsAreTheDrivers) {
    Compositor& compositor = start(GetParam().script);
    Client client(compositor);
    EXPECT_TRUE(supported(client));

    VkSurfaceCapabilitiesKHR capabilities{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                        &capabilities),
              VK_SUCCESS);
    EXPECT_EQ(capabilities.minImageCount, uint32_t(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    EXPECT_EQ(capabilities.currentExtent.width, uint32_t(FAKE_DRIVER_NATIVE_WIDTH));

    uint32_t count = 1;
    VkSurfaceFormatKHR format{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, client.surface, &count,
                                                   &format),
              VK_SUCCESS);
    EXPECT_EQ(format.format, FAKE_DRIVER_NATIVE_FORMAT);

    VkPresentModeKHR mode{};
    count = 1;
    EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                        &count, &mode),
              VK_SUCCESS);
    EXPECT_EQ(mode, VK_PRESENT_MODE_IMMEDIATE_KHR);

    VkDeviceGroupPresentModeFlagsKHR group_modes = 0;
    EXPECT_EQ(vkGetDeviceGroupSurfacePresentModesKHR(client.device, client.surface, &group_modes),
              VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkGetDeviceGroupSurfacePresentModesKHR"), 1u);

    Swapchain swapchain = client.swapchain(
        {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 1u);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkAcquireNextImageKHR"), 1u);
    EXPECT_EQ(fake_driver().call_count("vkQueuePresentKHR"), 1u);
    EXPECT_EQ(compositor.commits(), 0u);
}

TEST_P(PassThroughSurface, TheSurfaceIsNotSupportedIfTheDriverHasNoWsi) {
    fake_driver().set_native_wsi(VK_FALSE);
    Client client(start(GetParam().script));
    EXPECT_FALSE(supported(client));
}

Script script_with(uint32_t dmabuf_version, std::vector<FormatModifier> formats) {
    return {.globals = {.dmabuf = dmabuf_version}, .feedback = {0, {{0, 0, std::move(formats)}}}};
}

INSTANTIATE_TEST_SUITE_P(
    , PassThroughSurface,
    testing::Values(PassThroughCase{"NoLinuxDmabuf", script_with(0, {})},
                    PassThroughCase{"LinuxDmabufVersion2", script_with(2, common_formats())},
                    PassThroughCase{"NoFormats", script_with(4, {})},
                    PassThroughCase{"NoFormatsInVersion3", script_with(3, {})},
                    PassThroughCase{"NoCommonModifier",
                                    script_with(4, common_formats(unknown_modifier))},
                    PassThroughCase{"NoCommonModifierInVersion3",
                                    script_with(3, common_formats(unknown_modifier))},
                    PassThroughCase{"NoCommonFormat",
                                    script_with(4, {{fourcc('N', 'V', '1', '2'), drm_linear}})}),
    [](auto& tested) { return std::string(tested.param.name); });

class TakenOverSurface : public CompositorTest, public testing::WithParamInterface<uint32_t> {};

TEST_P(TakenOverSurface, SwapchainsNeverReachTheDriver) {
    Compositor& compositor = start({.globals = {.dmabuf = GetParam()}});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
    EXPECT_EQ(fake_driver().call_count("vkAcquireNextImageKHR"), 0u);
    EXPECT_EQ(fake_driver().call_count("vkQueuePresentKHR"), 0u);
    EXPECT_EQ(compositor.commits(), 1u);
    EXPECT_EQ(compositor.last_commit().width, 64);
}

INSTANTIATE_TEST_SUITE_P(, TakenOverSurface, testing::Values(3u, 4u, 5u), [](auto& tested) {
    return "LinuxDmabufVersion" + std::to_string(tested.param);
});

// The events that answer wl_registry.bind may arrive together with the end of a round trip that was
// requested before. The layer must not lose them.
TEST_P(TakenOverSurface, EventsMayArriveTogetherWithTheEndOfAnEarlierRoundTrip) {
    Compositor& compositor = start({.globals = {.dmabuf = GetParam()}});
    App app(compositor);
    Owned<VkInstance> instance = make_instance();
    Owned<wl_surface*> window = app.new_surface();
    app.round_trip();
    compositor.on_thread([](Scene& scene) {
        scene.add_fault(
            {.kind = Fault::Kind::wait_for_client, .interface = "wl_display", .request = "sync"});
    });
    Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
    Device device(instance);
    Swapchain swapchain(device, surface);
    EXPECT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
}

class DriverWithoutWsi : public CompositorTest {};

TEST_F(DriverWithoutWsi, TheSurfaceIsTakenOver) {
    fake_driver().set_native_wsi(VK_FALSE);
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(compositor.commits(), 1u);
}

// An application that finds no queue family for its surface creates no VkDevice.
TEST_F(DriverWithoutWsi, TheFirstQueryOfASurfaceLogsWhatADriverLacksThatSharesNothing) {
    fake_driver().set_native_wsi(VK_FALSE);
    fake_driver().set_physical_device_count(2);
    fake_driver().hide_device_extension(FAKE_DRIVER_ALL_DEVICES, "VK_EXT_external_memory_dma_buf");
    App app(start());
    const auto instance = make_instance();
    std::array<VkPhysicalDevice, 2> devices{};
    uint32_t count = devices.size();
    ASSERT_EQ(vkEnumeratePhysicalDevices(instance, &count, devices.data()), VK_SUCCESS);
    const auto window = app.new_surface();
    for (int surfaces = 0; surfaces < 2; ++surfaces) {
        const auto surface = make_surface(instance, app, window);
        for (const VkPhysicalDevice device : devices) {
            const ErrorLog log;
            for (int queries = 0; queries < 2; ++queries) {
                VkBool32 supported = VK_TRUE;
                EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(device, 0, surface, &supported),
                          VK_SUCCESS);
                EXPECT_FALSE(supported);
                // An error, or below that if the process has logged the same before.
                EXPECT_EQ(log.lines_with(
                                 {"no swapchains on this surface", "driver lacks memory to share"})
                              .size(),
                          1u)
                    << log.text();
            }
        }
    }
}

} // namespace
} // namespace fencebridge::test
