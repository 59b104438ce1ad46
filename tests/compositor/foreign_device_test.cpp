// SPDX-License-Identifier: MIT
// Invariant 8 on a foreign device: a surface passes through if the compositor refuses the device's
// buffers in the trial. If it accepts them, the images are copied rather than drawn across the bus.
#include "allocator_setting.hpp"
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <sys/sysmacros.h>

#include <thread>

namespace fencebridge::test {
namespace {

// The device is another GPU than the compositor's, with the linear layout in common. The first
// query of the surface creates one buffer and offers it to the compositor: the trial.
class ForeignDevice : public CompositorTest {
protected:
    static inline const dev_t compositors_card = makedev(226, 0);
    static inline const dev_t compositors_node = makedev(226, 128);
    static inline const dev_t other_card = makedev(226, 1);
    static inline const dev_t other_node = makedev(226, 129);

    void SetUp() override {
        CompositorTest::SetUp();
        fake_driver().set_drm_nodes(0, other_card, other_node);
        fake_driver().set_device_type(0, VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU);
    }

    Compositor& start(bool refuses, dev_t target = compositors_node) {
        Compositor& compositor = CompositorTest::start(
            {.feedback = {compositors_card, {{target, 0, common_formats()}}}});
        compositor.refuse_buffers(refuses);
        return compositor;
    }

    static VkResult query_support(Client& client) {
        VkBool32 supported = VK_FALSE;
        const VkResult result = vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0,
                                                                     client.surface, &supported);
        EXPECT_EQ(supported, result == VK_SUCCESS);
        return result;
    }
    // Makes the queries of a surface and expects this minImageCount, which tells who answers.
    static void query(Client& client, uint32_t min_images) {
        EXPECT_EQ(query_support(client), VK_SUCCESS);
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                            &capabilities),
                  VK_SUCCESS);
        EXPECT_EQ(capabilities.minImageCount, min_images);
    }
    static constexpr uint32_t native = FAKE_DRIVER_NATIVE_MIN_IMAGES;
    static constexpr uint32_t ours = 2;

    size_t buffers_asked_for() {
        EXPECT_EQ(compositor_->requests("zwp_linux_buffer_params_v1", "create_immed"), 0u);
        return compositor_->requests("zwp_linux_buffer_params_v1", "create");
    }
};

TEST_F(ForeignDevice, TheSurfacePassesThroughIfTheCompositorRefusesTheBuffer) {
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
    EXPECT_EQ(buffers_asked_for(), 2u); // an image of the driver's, and a copy
    EXPECT_EQ(
        log.lines_with({"using the driver's own swapchains", "accepted no buffer of this device"})
            .size(),
        1u)
        << log.text();
}

TEST_F(ForeignDevice, TheSurfaceIsTakenOverIfTheCompositorAcceptsTheBuffer) {
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

TEST_F(ForeignDevice, TheSurfaceIsTakenOverIfTheDriverHasNoWsi) {
    fake_driver().set_native_wsi(VK_FALSE);
    Client client(start(false));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 1u);
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

TEST_F(ForeignDevice, TheSurfaceIsNotSupportedIfTheDriverHasNoWsiAndTheBuffersAreRefused) {
    fake_driver().set_native_wsi(VK_FALSE);
    Client client(start(true));
    ErrorLog log;
    VkBool32 supported = VK_TRUE;
    EXPECT_EQ(
        vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, client.surface, &supported),
        VK_SUCCESS);
    EXPECT_FALSE(supported);
    EXPECT_EQ(buffers_asked_for(), 2u);
    EXPECT_EQ(log.lines_with({"error", "no swapchains on this surface"}).size(), 1u) << log.text();
}

TEST_F(ForeignDevice, ImagesAreCopied) {
    Client client(start(false));
    ErrorLog log;
    Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
}

// Such as the GPU of a board whose display controller is another DRM device.
TEST_F(ForeignDevice, ImagesAreNotCopiedIfTheDeviceHasNoMemoryOfItsOwn) {
    for (const VkPhysicalDeviceType type :
         {VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, VK_PHYSICAL_DEVICE_TYPE_CPU}) {
        fake_driver().set_device_type(0, type);
        Client client(start(false));
        ErrorLog log;
        Swapchain swapchain = client.swapchain();
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    }
}

TEST_F(ForeignDevice, TheyAreCopiedAllTheSameIfTheCompositorRefusesTheOthers) {
    fake_driver().set_device_type(0, VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU);
    FakeDriverModifier linear = driver_modifier(drm_linear);
    linear.pitch_alignment = 64;
    fake_driver().set_format(0, VK_FORMAT_B8G8R8A8_UNORM, 1, &linear);
    Compositor& compositor = start(false);
    compositor.on_thread([](Scene& scene) {
        scene.judge_buffers([](wl_client*, const ClientBuffer& buffer) {
            return buffer.planes.at(0).stride % 256 == 0;
        });
    });
    Client client(compositor);
    ErrorLog log;
    Swapchain swapchain = client.swapchain({.extent = {65, 33}});
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "copy-dma-buf"), 1u) << log.text();
}

TEST_F(ForeignDevice, ImagesAreNotCopiedIfTheSettingNamesAnAllocator) {
    const AllocatorSetting setting("driver-export");
    Client client(start(false));
    ErrorLog log;
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
}

TEST_F(ForeignDevice, ImagesAreDrawnAcrossTheBusIfTheDriverCannotShareCopies) {
    fake_driver().set_shares_buffers(0, VK_FALSE);
    Client client(start(false));
    ErrorLog log;
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
}

TEST_F(ForeignDevice, TheSurfaceIsTakenOverWithoutATrialIfTheDriverRefusesTheDevice) {
    Client client(start(true));
    fake_driver().fail_call("vkCreateDevice", 1, VK_ERROR_INITIALIZATION_FAILED);
    query(client, ours);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

struct TransientFailure {
    const char* name;
    const char* call;
    VkResult result;
    VkResult returned; // by the application's query of the surface
};

class FailingTrial : public ForeignDevice, public testing::WithParamInterface<TransientFailure> {};

TEST_P(FailingTrial, TheQueryFailsAndTheNextQueryRepeatsTheTrial) {
    Client client(start(true));
    fake_driver().fail_call(GetParam().call, 1, GetParam().result);
    EXPECT_EQ(query_support(client), GetParam().returned);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
    EXPECT_EQ(fake_driver().live_objects(FAKE_DRIVER_DEVICE), 1u);
    EXPECT_EQ(buffers_asked_for(), 0u);
    query(client, native);
    EXPECT_EQ(buffers_asked_for(), 2u);
}

// The old swapchain was made through another VkSurfaceKHR of the same window, for which the trial
// has succeeded.
TEST_F(ForeignDevice, TheOldSwapchainIsRetiredEvenIfTheTrialFails) {
    Client client(start(false));
    Swapchain old = client.swapchain();
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    Owned<VkSurfaceKHR> second = make_surface(client.instance, client.app, client.window);
    // Swapchain() queries the capabilities first.
    for (uint32_t call : {1u, 2u})
        fake_driver().fail_call("vkCreateDevice", call, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(Swapchain(client.device, second, {.old = old.handle}).result,
              VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
    EXPECT_EQ(client.acquire(old, 0).result, VK_ERROR_OUT_OF_DATE_KHR);
    vkDeviceWaitIdle(client.device);
}

constexpr VkResult host = VK_ERROR_OUT_OF_HOST_MEMORY;
constexpr VkResult of_device = VK_ERROR_OUT_OF_DEVICE_MEMORY;
constexpr VkResult lost = VK_ERROR_DEVICE_LOST; // by a reset of the GPU, for example
constexpr VkResult too_many = VK_ERROR_TOO_MANY_OBJECTS;
INSTANTIATE_TEST_SUITE_P(
    , FailingTrial,
    testing::Values(
        TransientFailure{"SurfaceSupport_OutOfHostMemory", "vkGetPhysicalDeviceSurfaceSupportKHR",
                         host, host},
        TransientFailure{"CreateDevice_OutOfHostMemory", "vkCreateDevice", host, host},
        TransientFailure{"CreateDevice_OutOfDeviceMemory", "vkCreateDevice", of_device, of_device},
        TransientFailure{"CreateDevice_TooManyObjects", "vkCreateDevice", too_many, host},
        TransientFailure{"CreateDevice_DeviceLost", "vkCreateDevice", lost, VK_ERROR_UNKNOWN},
        TransientFailure{"GetMemoryFd_DeviceLost", "vkGetMemoryFdKHR", lost, VK_ERROR_UNKNOWN},
        TransientFailure{"CreateImage_OutOfHostMemory", "vkCreateImage", host, host},
        TransientFailure{"AllocateMemory_OutOfHostMemory", "vkAllocateMemory", host, host},
        TransientFailure{"GetMemoryFd_TooManyObjects", "vkGetMemoryFdKHR", too_many, host}),
    [](const auto& row) { return row.param.name; });

TEST_F(ForeignDevice, TheTrialGoesOnIfOneAllocatorLacksMemory) {
    Client client(start(false));
    fake_driver().fail_call("vkAllocateMemory", 1, of_device);
    query(client, ours);
    EXPECT_EQ(fake_driver().injected_failures(), 1u);
}

TEST_F(ForeignDevice, TheQueryFailsIfEveryAllocatorLacksMemory) {
    Client client(start(false));
    for (uint32_t nth = 1; nth <= 32; ++nth)
        fake_driver().fail_call("vkAllocateMemory", nth, of_device);
    EXPECT_EQ(query_support(client), of_device);
    fake_driver().clear_failures();
    query(client, ours);
}

// The trial ends with the first layout that the compositor accepts.
TEST_F(ForeignDevice, EachLayoutIsTriedUntilTheCompositorAcceptsABuffer) {
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

// The compositor refuses the copy of the trial, and accepts the driver's own image.
TEST_F(ForeignDevice, WhatTheTrialHasShownIsNotTriedAgain) {
    Compositor& compositor = start(false);
    compositor.on_thread([](Scene& scene) {
        scene.judge_buffers(
            [asked = 0](wl_client*, const ClientBuffer&) mutable { return ++asked > 1; });
    });
    Client client(compositor);
    ErrorLog log;
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
    EXPECT_EQ(buffers_asked_for(), 2 + swapchain.images.size());
}

// While one thread waits for the compositor's answer, another decides without a trial.
TEST_F(ForeignDevice, OfTwoThreadsTheFirstDecisionIsKeptAndLogged) {
    Compositor& compositor = start(false);
    Client client(compositor);
    compositor.on_thread([&](Scene& scene) {
        scene.judge_buffers([&, asked = 0](wl_client*, const ClientBuffer&) mutable {
            if (++asked == 1) {
                fake_driver().fail_call("vkCreateDevice", 1, VK_ERROR_INITIALIZATION_FAILED);
                std::thread([&] { query(client, ours); }).join();
            }
            return false;
        });
    });
    ErrorLog log;
    query(client, ours);
    EXPECT_EQ(log.lines_with({"taking a surface over"}).size(), 1u) << log.text();
    EXPECT_EQ(log.lines_with({"accepted no buffer"}).size(), 0u) << log.text();
}

TEST_F(ForeignDevice, ADeviceThatATrancheTargetsIsNotForeign) {
    Client client(start(true, other_card));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
    compositor_->refuse_buffers(false);
    ErrorLog log;
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    EXPECT_EQ(swapchains_by(log, "driver-export"), 1u) << log.text();
}

TEST_F(ForeignDevice, TheCompositorsMainDeviceIsNotForeign) {
    fake_driver().set_drm_nodes(0, compositors_card, other_node);
    Client client(start(true, makedev(226, 2)));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

TEST_F(ForeignDevice, ADeviceWithoutDrmNodesIsNotForeign) {
    fake_driver().set_drm_nodes(0, 0, 0);
    Client client(start(true));
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

TEST_F(ForeignDevice, NoDeviceIsForeignIfTheCompositorNamesNoDevice) {
    Compositor& compositor = CompositorTest::start({.globals = {.dmabuf = 3}});
    Client client(compositor);
    query(client, ours);
    EXPECT_EQ(buffers_asked_for(), 0u);
}

// vkCreateSwapchainKHR returns the same if the connection ends there.
TEST_F(ForeignDevice, TheQueryReturnsSurfaceLostIfTheCompositorDisconnects) {
    Compositor& compositor = start(true);
    Client client(compositor);
    compositor.on_thread([](Scene& scene) {
        scene.add_fault({.kind = Fault::Kind::disconnect,
                         .interface = "zwp_linux_buffer_params_v1",
                         .request = "create"});
    });
    EXPECT_EQ(query_support(client), VK_ERROR_SURFACE_LOST_KHR);
}

} // namespace
} // namespace fencebridge::test
