// SPDX-License-Identifier: MIT
// A window that has swapchains of both the layer and a driver: one at a time, and no protocol
// error, through whatever VkSurfaceKHR, VkDevice and VkInstance.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <cstdlib>

namespace fencebridge::test {
namespace {

constexpr SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};

SwapchainOptions native(VkSwapchainKHR old = VK_NULL_HANDLE) {
    return {.format = FAKE_DRIVER_NATIVE_FORMAT, .mode = VK_PRESENT_MODE_IMMEDIATE_KHR, .old = old};
}

// Until it is destroyed, driver and compositor have no layout in common: surfaces that are made now
// pass through.
class NoCommonLayout {
public:
    explicit NoCommonLayout(Compositor& compositor) : compositor_(compositor) {
        constexpr uint64_t other_vendors = 0x0900000000000001;
        set({0, {{0, 0, common_formats(other_vendors)}}});
    }
    ~NoCommonLayout() { set(linear_feedback()); }

private:
    void set(const Feedback& feedback) {
        compositor_.on_thread([&](Scene& scene) { scene.set_feedback(feedback); });
    }

    Compositor& compositor_;
};

// A surface of the client's device that passes through.
Owned<VkSurfaceKHR> drivers_surface(Compositor& compositor, const Client& client) {
    const NoCommonLayout none(compositor);
    auto surface = make_surface(client.instance, client.app, client.window);
    VkBool32 supported = VK_FALSE;
    vkGetPhysicalDeviceSurfaceSupportKHR(client.device.physical, 0, surface, &supported);
    EXPECT_TRUE(supported);
    return surface;
}

// What passes through, and makes the swapchain the driver's.
enum class What { surface, device, instance };

// The driver's side: on the same wl_surface as the client's, with objects of its own.
struct DriversSide {
    static Owned<VkInstance> other_instance(What what) {
        if (what == What::device)
            fake_driver().hide_device_extension(0, "VK_KHR_external_memory_fd");
        if (what == What::instance)
            setenv("FENCEBRIDGE_TAKEOVER", "off", 1);
        auto instance = make_instance();
        unsetenv("FENCEBRIDGE_TAKEOVER");
        return instance;
    }
    DriversSide(Compositor& compositor, const Client& client, What what) {
        if (what == What::surface) {
            surface = drivers_surface(compositor, client);
            device = &client.device;
            return;
        }
        instance = other_instance(what);
        own_device = std::make_unique<Device>(instance);
        device = own_device.get();
        surface = make_surface(instance, client.app, client.window);
    }
    Swapchain swapchain(VkSwapchainKHR old = VK_NULL_HANDLE) const {
        return Swapchain(*device, surface, native(old));
    }

    Owned<VkInstance> instance;
    std::unique_ptr<Device> own_device;
    const Device* device;
    Owned<VkSurfaceKHR> surface;
};

class WindowClaims : public CompositorTest {
protected:
    static VkResult expect_no_error(Client& client) {
        client.app.round_trip();
        EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
        return vkDeviceWaitIdle(client.device);
    }
    size_t live_fifos() {
        return compositor_->on_thread(
            [](Scene& scene) { return scene.live_objects()["wp_fifo_v1"]; });
    }
};

class BothMakers : public WindowClaims, public testing::WithParamInterface<What> {};

TEST_P(BothMakers, ADriversSwapchainIsRefusedBesideOneOfTheLayers) {
    Client client(start({.globals = {.fifo = 1}}));
    const DriversSide drivers(*compositor_, client, GetParam());
    Swapchain ours = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(client.frame(ours), VK_SUCCESS);
    EXPECT_EQ(drivers.swapchain().result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    EXPECT_EQ(fake_driver().call_count("vkCreateSwapchainKHR"), 0u);
    EXPECT_EQ(client.frame(ours), VK_SUCCESS);
    expect_no_error(client);
    ours = {};
    EXPECT_EQ(drivers.swapchain().result, VK_SUCCESS);
}

TEST_P(BothMakers, TheLayersSwapchainIsRefusedBesideADrivers) {
    Client client(start());
    const DriversSide drivers(*compositor_, client, GetParam());
    Swapchain theirs = drivers.swapchain();
    ASSERT_EQ(theirs.result, VK_SUCCESS);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    theirs = {};
    Swapchain ours = client.swapchain();
    ASSERT_EQ(ours.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(ours), VK_SUCCESS);
    expect_no_error(client);
}

// Whether two of them may share a window is for the driver to say, as without the layer.
TEST_P(BothMakers, TheLayerDoesNotRefuseADriversSecondSwapchain) {
    Client client(start());
    const DriversSide drivers(*compositor_, client, GetParam());
    Swapchain first = drivers.swapchain();
    Swapchain second = drivers.swapchain();
    EXPECT_EQ(first.result, VK_SUCCESS);
    EXPECT_EQ(second.result, VK_SUCCESS);
    first = {};
    EXPECT_EQ(client.swapchain().result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    second = {};
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

TEST_P(BothMakers, AFailedCreationLeavesNoClaim) {
    Client client(start());
    const DriversSide drivers(*compositor_, client, GetParam());
    fake_driver().fail_call("vkCreateSwapchainKHR", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(drivers.swapchain().result, VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

// A retired swapchain presents to nothing any more.
TEST_P(BothMakers, ADriversRetiredSwapchainHasNoClaim) {
    Client client(start());
    const DriversSide drivers(*compositor_, client, GetParam());
    const Swapchain old = drivers.swapchain();
    ASSERT_EQ(old.result, VK_SUCCESS);
    ASSERT_EQ(drivers.swapchain(old).result, VK_SUCCESS); // and is destroyed at once
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
// A driver may keep an object of which a wl_surface can have one until its VkSurfaceKHR is
// destroyed, so the layer makes none.
TEST_P(BothMakers, TheLayerMakesNoFifoObjectWhereADriverMayHaveOne) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    {
        const DriversSide drivers(*compositor_, client, GetParam());
        ASSERT_EQ(drivers.swapchain().result, VK_SUCCESS);
        Swapchain ours = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
        ASSERT_EQ(client.frame(ours), VK_SUCCESS);
        ASSERT_EQ(client.frame(ours), VK_SUCCESS);
        expect_no_error(client);
        EXPECT_EQ(compositor.requests("wp_fifo_manager_v1", "get_fifo"), 0u);
        EXPECT_TRUE(compositor.last_commit().frame_callback);
    }
    const auto surface = make_surface(client.instance, client.app, client.window);
    Renderer renderer(client.device);
    Swapchain ours(client.device, surface, fifo);
    EXPECT_EQ(renderer.frame(ours), VK_SUCCESS);
    EXPECT_EQ(compositor.requests("wp_fifo_manager_v1", "get_fifo"), 1u);
    expect_no_error(client);
}

// The first swapchain is retired, but not destroyed.
TEST_P(BothMakers, TheLayersRetiredSwapchainsLeaveTheWindowToADriver) {
    Client client(start({.globals = {.fifo = 1, .presentation = 1}}).connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME,
                   VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
    const DriversSide drivers(*compositor_, client, GetParam());
    Swapchain old = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    const Acquired acquired = client.acquire(old);
    ASSERT_EQ(acquired.result, VK_SUCCESS);
    ASSERT_EQ(client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .old = old}).result, VK_SUCCESS);
    EXPECT_EQ(live_fifos(), 1u);
    const Swapchain theirs = drivers.swapchain();
    EXPECT_EQ(theirs.result, VK_SUCCESS);
    client.app.round_trip();
    EXPECT_EQ(live_fifos(), 0u);
    const auto wait = reinterpret_cast<PFN_vkWaitForPresentKHR>(
        vkGetDeviceProcAddr(client.device, "vkWaitForPresentKHR"));
    EXPECT_EQ(wait(client.device, old, 1, 0), VK_TIMEOUT);
    EXPECT_EQ(client.present(old, acquired.index), VK_ERROR_OUT_OF_DATE_KHR);
    EXPECT_EQ(wait(client.device, old, 1, forever), VK_ERROR_OUT_OF_DATE_KHR);
    expect_no_error(client);
    EXPECT_EQ(live_fifos(), 0u);
}
#endif

std::string name_of(const testing::TestParamInfo<What>& tested) {
    switch (tested.param) {
    case What::surface:
        return "SurfacePassesThrough";
    case What::device:
        return "DevicePassesThrough";
    case What::instance:
        break;
    }
    return "InstancePassesThrough";
}

INSTANTIATE_TEST_SUITE_P(, BothMakers, testing::Values(What::surface, What::device, What::instance),
                         name_of);

TEST_F(WindowClaims, OldSwapchainPassesTheWindowFromTheLayerToTheDriver) {
    Client client(start({.globals = {.fifo = 1}}));
    const auto surface = drivers_surface(*compositor_, client);
    Swapchain old = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    Swapchain theirs(client.device, surface, native(old));
    ASSERT_EQ(theirs.result, VK_SUCCESS);
    client.app.round_trip();
    EXPECT_EQ(live_fifos(), 0u);
    old = {};
    EXPECT_EQ(client.swapchain().result, VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    theirs = {};
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    expect_no_error(client);
}

TEST_F(WindowClaims, OldSwapchainPassesTheWindowFromTheDriverToTheLayer) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    const auto surface = drivers_surface(*compositor_, client);
    const Swapchain old(client.device, surface, native());
    ASSERT_EQ(old.result, VK_SUCCESS);
    Swapchain ours = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .old = old});
    ASSERT_EQ(ours.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(ours), VK_SUCCESS);
    expect_no_error(client);
    EXPECT_EQ(compositor.requests("wp_fifo_manager_v1", "get_fifo"), 0u);
    EXPECT_EQ(Swapchain(client.device, surface, native()).result,
              VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
}

#if defined FAKE_COMPOSITOR_HAS_COLOR && defined FAKE_COMPOSITOR_HAS_COLOR_REPRESENTATION
TEST_F(WindowClaims, ADriversSwapchainEndsTheLayersObjectsForColoursAndAlpha) {
    Compositor& compositor = start({.globals = {.color = 1, .color_representation = 1}});
    InstanceOptions options;
    options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
    Client client(compositor.connect(), options);
    const auto surface = drivers_surface(compositor, client);
    const Swapchain old = client.swapchain({.space = VK_COLOR_SPACE_HDR10_ST2084_EXT,
                                            .alpha = VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR});
    ASSERT_EQ(client.frame(old), VK_SUCCESS);
    const auto live = [&] {
        client.app.round_trip();
        return compositor.on_thread([](Scene& scene) {
            auto objects = scene.live_objects();
            return std::pair(objects["wp_color_management_surface_v1"],
                             objects["wp_color_representation_surface_v1"]);
        });
    };
    EXPECT_EQ(live(), std::pair(size_t(1), size_t(1)));
    const Swapchain theirs(client.device, surface, native(old));
    ASSERT_EQ(theirs.result, VK_SUCCESS);
    EXPECT_EQ(live(), std::pair(size_t(0), size_t(0)));
    expect_no_error(client);
}
#endif

#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
TEST_F(WindowClaims, ADriversSwapchainEndsTheLayersCommitTimerForGood) {
    Compositor& compositor = start({.globals = {.commit_timing = 1, .presentation = 1}});
    Client client(compositor.connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME});
    const auto show_at_a_time = [&](const Swapchain& swapchain) {
        const VkPresentTimeGOOGLE time = {1, 5};
        const VkPresentTimesInfoGOOGLE times = {VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE,
                                                nullptr, 1, &time};
        return present(client.device.queue, swapchain, client.acquire(swapchain).index, {}, &times);
    };
    const auto surface = drivers_surface(compositor, client);
    const Swapchain ours = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(show_at_a_time(ours), VK_SUCCESS);
    Swapchain theirs(client.device, surface, native(ours));
    ASSERT_EQ(theirs.result, VK_SUCCESS);
    client.app.round_trip();
    EXPECT_EQ(compositor.requests("wp_commit_timer_v1", "destroy"), 1u);
    theirs = {};
    const Swapchain next = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(next.result, VK_SUCCESS);
    EXPECT_EQ(show_at_a_time(next), VK_SUCCESS);
    expect_no_error(client);
    EXPECT_EQ(compositor.requests("wp_commit_timing_manager_v1", "get_timer"), 1u);
}
#endif

// The driver's VkSurfaceKHR lives on, and with it the objects that the driver may have made.
#ifdef FAKE_COMPOSITOR_HAS_COLOR
TEST_F(WindowClaims, BesideADriversSurfaceNoImagesAreDescribed) {
    Compositor& compositor = start({.globals = {.color = 1}});
    InstanceOptions options;
    options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
    Client client(compositor.connect(), options);
    const SwapchainOptions described = {.space = VK_COLOR_SPACE_HDR10_ST2084_EXT};
    ASSERT_EQ(client.swapchain(described).result, VK_SUCCESS);
    const auto surface = drivers_surface(compositor, client);
    ASSERT_EQ(Swapchain(client.device, surface, native()).result, VK_SUCCESS);
    ErrorLog log;
    EXPECT_EQ(client.swapchain(described).result, VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(log.lines_with({"a driver has used the window"}).size(), 1u) << log.text();
    const Swapchain ours = client.swapchain();
    EXPECT_EQ(client.frame(ours), VK_SUCCESS);
    expect_no_error(client);
    EXPECT_EQ(compositor.requests("wp_color_manager_v1", "get_surface"), 0u);
}
#endif

#ifdef FAKE_COMPOSITOR_HAS_COLOR_REPRESENTATION
TEST_F(WindowClaims, BesideADriversSurfaceNoImagesHaveStraightAlpha) {
    Compositor& compositor = start({.globals = {.color_representation = 1}});
    Client client(compositor);
    const SwapchainOptions straight = {.alpha = VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR};
    ASSERT_EQ(client.swapchain(straight).result, VK_SUCCESS);
    const auto surface = drivers_surface(compositor, client);
    ASSERT_EQ(Swapchain(client.device, surface, native()).result, VK_SUCCESS);
    EXPECT_EQ(client.swapchain(straight).result, VK_ERROR_INITIALIZATION_FAILED);
    const Swapchain ours = client.swapchain({.alpha = VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR});
    EXPECT_EQ(client.frame(ours), VK_SUCCESS);
    expect_no_error(client);
    EXPECT_EQ(compositor.requests("wp_color_representation_manager_v1", "get_surface"), 0u);
}
#endif

} // namespace
} // namespace fencebridge::test
