// SPDX-License-Identifier: MIT
// Invariant 8: a surface of a compositor that the layer cannot serve is the driver's own business.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <sys/sysmacros.h>

namespace fencebridge::test {
namespace {

constexpr uint64_t unknown_modifier = 0x1234;

struct UnservedCase {
    const char* name;
    Script script;
};

class Unserved : public CompositorTest, public testing::WithParamInterface<UnservedCase> {
protected:
    static VkBool32 supported(Client& client) {
        VkBool32 answer = VK_TRUE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface,
                                                       &answer),
                  VK_SUCCESS);
        return answer;
    }
};

// The device's extensions are hidden whatever the surface: what the driver has of them is, too.
TEST_P(Unserved, TellsNothingOfHiddenExtensions) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES, "VK_KHR_shared_presentable_image");
    Compositor& compositor = start(GetParam().script);
    Client client(compositor);
    uint32_t count = 0;
    EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                        &count, nullptr),
              VK_SUCCESS);
    EXPECT_EQ(count, 1u);

    struct {
        VkStructureType type = VkStructureType(1000479000);
        void* next = nullptr;
        VkBool32 supported = VK_TRUE;
    } present_id2; // VkSurfaceCapabilitiesPresentId2KHR, for the headers may be older
    const auto capabilities =
        query_capabilities(client.instance, client.device, client.surface, &present_id2);
    EXPECT_EQ(capabilities.minImageCount, uint32_t(FAKE_DRIVER_NATIVE_MIN_IMAGES));
    EXPECT_EQ(present_id2.supported, VK_FALSE);
}

TEST_P(Unserved, GoesToTheDriversOwnWindowSystem) {
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

TEST_P(Unserved, IsNotSupportedWithoutOne) {
    fake_driver().set_native_wsi(VK_FALSE);
    Client client(start(GetParam().script));
    EXPECT_FALSE(supported(client));
}

Script script_with(uint32_t dmabuf_version, std::vector<FormatModifier> formats) {
    return {.globals = {.dmabuf = dmabuf_version}, .feedback = {0, {{0, 0, std::move(formats)}}}};
}

INSTANTIATE_TEST_SUITE_P(
    , Unserved,
    testing::Values(
        UnservedCase{"WithoutDmabuf", script_with(0, {})},
        UnservedCase{"DmabufVersion2", script_with(2, common_formats())},
        UnservedCase{"NoFormats", script_with(4, {})},
        UnservedCase{"NoFormatsVersion3", script_with(3, {})},
        UnservedCase{"NoCommonModifier", script_with(4, common_formats(unknown_modifier))},
        UnservedCase{"NoCommonModifierVersion3", script_with(3, common_formats(unknown_modifier))},
        UnservedCase{"NoCommonFormat", script_with(4, {{fourcc('N', 'V', '1', '2'), drm_linear}})}),
    [](auto& tested) { return std::string(tested.param.name); });

class Served : public CompositorTest, public testing::WithParamInterface<uint32_t> {};

TEST_P(Served, SwapchainsNeverReachTheDriver) {
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

INSTANTIATE_TEST_SUITE_P(DmabufVersion, Served, testing::Values(3u, 4u, 5u));

// The answer to wl_registry.bind may be read at once with the end of a round trip that was asked
// for before it, and must not be lost there.
TEST_P(Served, WhateverEventsArriveTogether) {
    Compositor& compositor = start({.globals = {.dmabuf = GetParam()}});
    App app(compositor);
    Owned<VkInstance> instance = make_instance();
    Owned<wl_surface*> window = app.new_surface();
    app.round_trip();
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.kind = Fault::Kind::let_client_go_first,
                         .interface = "wl_display",
                         .request = "sync"});
    });
    Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
    Device device(instance);
    Swapchain swapchain(device, surface);
    EXPECT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
}

// A GPU beside the compositor's, with which it shares the linear layout: whether the compositor can
// import it is found out when the surface is first queried.
class ForeignDevice : public CompositorTest {
protected:
    static inline const dev_t compositors_card = makedev(226, 0);
    static inline const dev_t compositors_node = makedev(226, 128);
    static inline const dev_t other_card = makedev(226, 1);
    static inline const dev_t other_node = makedev(226, 129);

    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().set_drm_nodes(0, other_card, other_node);
    }

    Compositor& start(bool refuses, dev_t target = compositors_node) {
        Compositor& compositor = CompositorTest::start(
            {.feedback = {compositors_card, {{target, 0, common_formats()}}}});
        compositor.on_thread([=](Scene& scene) { scene.set_refuse_buffers(refuses); });
        return compositor;
    }

    // Each of the queries.
    static void query(Client& client, uint32_t min_images) {
        VkBool32 supported = VK_FALSE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface,
                                                       &supported),
                  VK_SUCCESS);
        EXPECT_TRUE(supported);
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                            &capabilities),
                  VK_SUCCESS);
        EXPECT_EQ(capabilities.minImageCount, min_images);
    }
    static constexpr uint32_t native = FAKE_DRIVER_NATIVE_MIN_IMAGES;
    static constexpr uint32_t ours = 3;

    size_t buffers_asked_for() {
        EXPECT_EQ(compositor_->requests("zwp_linux_buffer_params_v1", "create_immed"), 0u);
        return compositor_->requests("zwp_linux_buffer_params_v1", "create");
    }
};

TEST_F(ForeignDevice, GoesToTheDriversOwnWindowSystemWhereTheCompositorRefusesIt) {
    Compositor& compositor = start(true);
    ErrorLog log;
    Client client(compositor);
    query(client, native);
    Swapchain swapchain = client.swapchain(
        {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_SWAPCHAIN), 1u);
    EXPECT_EQ(compositor.commits(), 0u);
    EXPECT_EQ(buffers_asked_for(), 1u);
    EXPECT_EQ(
        log.lines_with(
               {"fencebridge: warning: device \"Fake GPU 0\": using the driver's own swapchains",
                "refused a buffer of this one"})
            .size(),
        1u)
        << log.text();
}

TEST_F(ForeignDevice, IsServedWhereTheCompositorTakesIt) {
    Compositor& compositor = start(false);
    Client client(compositor);
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 1u);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 1u);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_IMAGE), 0u);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(compositor.commits(), 1u);
    EXPECT_EQ(buffers_asked_for(), 1u + swapchain.images.size());
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
}

TEST_F(ForeignDevice, IsServedWhereTheDriverHasNoWindowSystem) {
    fake_driver().set_native_wsi(VK_FALSE);
    Client client(start(true));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(ForeignDevice, IsServedWhereNothingCanBeTried) {
    Client client(start(true));
    fake_driver().fail_call("vkCreateDevice", 1, VK_ERROR_INITIALIZATION_FAILED);
    query(client, ours);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

struct PassingFailure {
    const char* call;
    VkResult result;
    VkResult told; // to the application, by its query of the surface
};

class FailingTrial : public ForeignDevice, public testing::WithParamInterface<PassingFailure> {};

TEST_P(FailingTrial, IsRepeatedByTheNextQuery) {
    Client client(start(true));
    fake_driver().fail_call(GetParam().call, 1, GetParam().result);
    VkBool32 supported = VK_FALSE;
    EXPECT_EQ(
        vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface, &supported),
        GetParam().told);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 1u);
    EXPECT_EQ(buffers_asked_for(), 0u);
    query(client, native);
    EXPECT_EQ(buffers_asked_for(), 1u);
}

constexpr VkResult host = VK_ERROR_OUT_OF_HOST_MEMORY;
constexpr VkResult of_device = VK_ERROR_OUT_OF_DEVICE_MEMORY;
constexpr VkResult too_many = VK_ERROR_TOO_MANY_OBJECTS;
INSTANTIATE_TEST_SUITE_P(, FailingTrial,
                         testing::Values(PassingFailure{"vkGetPhysicalDeviceSurfaceSupportKHR",
                                                        host, host},
                                         PassingFailure{"vkCreateDevice", host, host},
                                         PassingFailure{"vkCreateDevice", of_device, of_device},
                                         PassingFailure{"vkCreateDevice", too_many, host},
                                         PassingFailure{"vkCreateImage", host, host},
                                         PassingFailure{"vkAllocateMemory", of_device, of_device},
                                         PassingFailure{"vkGetMemoryFdKHR", too_many, host}),
                         [](const auto& row) {
                             return std::string(row.param.call) +
                                    std::to_string(std::abs(row.param.result));
                         });

// The first layout that is taken is enough.
TEST_F(ForeignDevice, IsTriedInEachLayout) {
    Compositor& compositor =
        CompositorTest::start({.feedback = {compositors_card,
                                            {{compositors_node, 0, common_formats()},
                                             {makedev(226, 2), 0, common_formats()}}}});
    compositor.on_thread([](Scene& scene) {
        scene.judge_buffers(
            [asked = 0](wl_client*, const ClientBuffer&) mutable { return ++asked > 1; });
    });
    Client client(compositor);
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 2u);
}

TEST_F(ForeignDevice, IsOneThatNoTrancheIsFor) {
    Client client(start(true, other_card));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

TEST_F(ForeignDevice, IsNoneThatTheCompositorWorksWith) {
    fake_driver().set_drm_nodes(0, compositors_card, other_node);
    Client client(start(true, makedev(226, 2)));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

TEST_F(ForeignDevice, IsNoneThatTellsNoNodes) {
    fake_driver().set_drm_nodes(0, 0, 0);
    Client client(start(true));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

TEST_F(ForeignDevice, IsNoneWhereTheCompositorTellsNoDevice) {
    Compositor& compositor = CompositorTest::start({.globals = {.dmabuf = 3}});
    Client client(compositor);
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

// As when it comes later, in vkCreateSwapchainKHR.
TEST_F(ForeignDevice, IsASurfaceThatIsLostWhereTheConnectionIs) {
    Compositor& compositor = start(true);
    Client client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.kind = Fault::Kind::disconnect,
                         .interface = "zwp_linux_buffer_params_v1",
                         .request = "create"});
    });
    VkBool32 supported = VK_FALSE;
    EXPECT_EQ(
        vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface, &supported),
        VK_ERROR_SURFACE_LOST_KHR);
}

TEST_F(CompositorTest, ADriverWithoutAWindowSystemIsServed) {
    fake_driver().set_native_wsi(VK_FALSE);
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(compositor.commits(), 1u);
}

} // namespace
} // namespace fencebridge::test
