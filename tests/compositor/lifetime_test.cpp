// SPDX-License-Identifier: MIT
// Invariant 6: what is created for a swapchain is released when the swapchain is destroyed, and
// nothing grows.
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <memory>

namespace fencebridge::test {
namespace {

// Everything countable that a swapchain may hold.
struct Holdings {
    size_t fds;
    std::map<int, uint64_t> driver;
    std::map<std::string, size_t> wayland;
    friend bool operator==(const Holdings&, const Holdings&) = default;
    friend void PrintTo(const Holdings& holdings, std::ostream* out) {
        *out << holdings.fds << " fds, driver objects " << testing::PrintToString(holdings.driver)
             << ", Wayland objects " << testing::PrintToString(holdings.wayland);
    }
};

class Lifetime : public CompositorTest {
protected:
    // wl_callback has no destructor request: only the event `done` ends a frame callback.
    Holdings holdings(App& app) {
        app.round_trip();
        compositor_->refresh();
        app.round_trip();
        auto wayland = compositor_->on_thread([](Scene& scene) { return scene.live_objects(); });
        // The core protocol has no request that destroys a registry, and before version 2 none for
        // wl_shm.
        wayland.erase("wl_registry");
        wayland.erase("wl_shm");
        return {open_fds(), live_driver_objects(), wayland};
    }
    // Creates and destroys a first swapchain. What the device and the surface keep from then on
    // does not belong to a swapchain. It must not grow, and is released with the device or the
    // surface.
    void warm_up(Client& client) {
        Swapchain swapchain = client.swapchain();
        frames(client, swapchain, 1);
    }
    static void frames(Client& client, const Swapchain& swapchain, int count) {
        for (int i = 0; i < count; ++i)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    }
};

TEST_F(Lifetime, DestroyingASwapchainReleasesEverythingItHeld) {
    Client client(start());
    warm_up(client);
    Holdings before = holdings(client.app);
    Swapchain swapchain = client.swapchain();
    frames(client, swapchain, 10);
    swapchain = {};
    EXPECT_EQ(holdings(client.app), before);
}

#ifdef FAKE_COMPOSITOR_HAS_FIXES
TEST_F(Lifetime, NoRegistryRemainsIfTheCompositorHasWlFixes) {
    Compositor& compositor = start({.globals = {.fixes = 1}});
    Client client(compositor);
    const auto kept = [&] {
        client.app.round_trip();
        return compositor.on_thread([](Scene& scene) {
            auto live = scene.live_objects();
            return std::pair(live["wl_registry"], live["wl_fixes"]);
        });
    };
    const auto before = kept();
    for (int i = 0; i < 3; ++i) {
        Swapchain swapchain = client.swapchain();
        frames(client, swapchain, 3);
    }
    EXPECT_EQ(kept(), before);
    EXPECT_GE(compositor.requests("wl_fixes", "destroy_registry"), 4u);
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}
#endif

TEST_F(Lifetime, DestroyingASurfaceReleasesEverythingItHeld) {
    Client client(start());
    warm_up(client);
    client.surface.reset();
    Holdings before = holdings(client.app);
    client.surface = make_surface(client.instance, client.app, client.window);
    Swapchain swapchain = client.swapchain();
    frames(client, swapchain, 10);
    swapchain = {};
    client.surface.reset();
    EXPECT_EQ(holdings(client.app), before);
}

TEST_F(Lifetime, DestroyingDeviceAndInstanceReleasesEverythingTheyHeld) {
    Compositor& compositor = start();
    App app(compositor);
    Owned<wl_surface*> window = app.new_surface();
    Holdings before = holdings(app);
    for (int i = 0; i < 3; ++i) {
        Owned<VkInstance> instance = make_instance();
        Device device(instance);
        Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
        Renderer renderer(device);
        Swapchain swapchain(device, surface);
        EXPECT_EQ(renderer.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(device);
    }
    EXPECT_EQ(holdings(app), before);
}

TEST_F(Lifetime, TheDeviceMayBeDestroyedBeforeTheSurface) {
    Compositor& compositor = start();
    App app(compositor);
    Owned<wl_surface*> window = app.new_surface();
    Holdings before = holdings(app);
    {
        Owned<VkInstance> instance = make_instance();
        Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
        {
            Device device(instance);
            Renderer renderer(device);
            Swapchain swapchain(device, surface);
            EXPECT_EQ(renderer.frame(swapchain), VK_SUCCESS);
            vkDeviceWaitIdle(device);
        }
        Device another(instance);
        Renderer renderer(another);
        Swapchain swapchain(another, surface);
        EXPECT_EQ(renderer.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(another);
    }
    EXPECT_EQ(holdings(app), before);
}

// VK_KHR_wayland_surface requires that the wl_display and the wl_surface outlive the swapchains,
// not that they outlive the VkSurfaceKHR. The parameter: whether the surface had a swapchain.
class Disconnected : public Lifetime, public testing::WithParamInterface<bool> {};

TEST_P(Disconnected, SurfaceDeviceAndInstanceMayBeDestroyedAfterTheConnection) {
    Compositor& compositor = start();
    auto app = std::make_unique<App>(compositor);
    Owned<VkInstance> instance = make_instance();
    Owned<wl_surface*> window = app->new_surface();
    Owned<VkSurfaceKHR> surface = make_surface(instance, *app, window);
    Device device(instance);
    VkSurfaceCapabilitiesKHR capabilities{};
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device.physical, surface, &capabilities),
              VK_SUCCESS);
    if (GetParam()) {
        Renderer renderer(device);
        Swapchain swapchain(device, surface);
        EXPECT_EQ(renderer.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(device);
    }
    window.reset();
    app.reset();
    // Another connection works, although its wl_display may have the address of the first.
    Client other(compositor);
    surface.reset();
    Swapchain swapchain = other.swapchain();
    frames(other, swapchain, 2);
}

INSTANTIATE_TEST_SUITE_P(, Disconnected, testing::Bool(), [](auto& tested) {
    return tested.param ? "ASwapchainWasUsed" : "TheSurfaceWasOnlyQueried";
});

TEST_F(Lifetime, ASurfaceHoldsNoWaylandObject) {
    Compositor& compositor = start();
    App app(compositor);
    Owned<VkInstance> instance = make_instance();
    Owned<wl_surface*> window = app.new_surface();
    Holdings before = holdings(app);
    Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
    EXPECT_EQ(holdings(app).wayland, before.wayland);
}

struct Steady {
    const char* name;
    VkPresentModeKHR mode;
    VkBool32 exports_imported_semaphores; // if not, present exports a semaphore of the layer's
};

class SteadyState : public Lifetime, public testing::WithParamInterface<Steady> {};

TEST_P(SteadyState, FramesDoNotAddToWhatASwapchainHolds) {
    fake_driver().set_exports_imported_semaphores(0, GetParam().exports_imported_semaphores);
    Client client(start());
    Swapchain swapchain = client.swapchain({.mode = GetParam().mode});
    frames(client, swapchain, 50);
    Holdings after_50 = holdings(client.app);
    frames(client, swapchain, 450);
    EXPECT_EQ(holdings(client.app), after_50);
}

INSTANTIATE_TEST_SUITE_P(, SteadyState,
                         testing::Values(Steady{"Fifo", VK_PRESENT_MODE_FIFO_KHR, VK_TRUE},
                                         Steady{"Mailbox", VK_PRESENT_MODE_MAILBOX_KHR, VK_TRUE},
                                         Steady{"FifoWithTheLayersOwnSemaphores",
                                                VK_PRESENT_MODE_FIFO_KHR, VK_FALSE}),
                         [](auto& tested) { return tested.param.name; });

// How many images are presented and how many acquired when the swapchain is destroyed.
struct ImageStates {
    const char* name;
    uint32_t presented;
    uint32_t acquired;
};

class SwapchainInEachState : public Lifetime, public testing::WithParamInterface<ImageStates> {};

TEST_P(SwapchainInEachState, DestroyingASwapchainReleasesEverythingItHeld) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::manual});
    Client client(compositor);
    warm_up(client);
    Holdings before = holdings(client.app);
    Swapchain swapchain = client.swapchain();
    for (uint32_t i = 0; i < GetParam().presented; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    for (uint32_t i = 0; i < GetParam().acquired; ++i)
        ASSERT_EQ(client.acquire(swapchain, 0).result, VK_SUCCESS);
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    swapchain = {};
    EXPECT_EQ(holdings(client.app), before);
}

INSTANTIATE_TEST_SUITE_P(, SwapchainInEachState,
                         testing::Values(ImageStates{"NoImageUsed", 0, 0},
                                         ImageStates{"TwoImagesAcquired", 0, 2},
                                         ImageStates{"TwoImagesPresented", 2, 0},
                                         ImageStates{"OneImagePresentedAndTwoAcquired", 1, 2}),
                         [](auto& tested) { return std::string(tested.param.name); });

// A window is resized 20 times. The parameter: whether the old swapchains are kept until the end.
class Resizing : public Lifetime, public testing::WithParamInterface<bool> {};

TEST_P(Resizing, DestroyingEverySwapchainOfAResizedWindowReleasesEverythingTheyHeld) {
    Compositor& compositor = start();
    Client client(compositor);
    warm_up(client);
    Holdings before = holdings(client.app);
    bool keep_old = GetParam();
    std::vector<Swapchain> chain;
    for (uint32_t i = 0; i < 20; ++i) {
        VkExtent2D extent{32 + 8 * i, 16 + 4 * i};
        VkSwapchainKHR old = chain.empty() ? VK_NULL_HANDLE : chain.back().handle.get();
        chain.push_back(client.swapchain({.extent = extent, .old = old}));
        ASSERT_EQ(chain.back().result, VK_SUCCESS);
        frames(client, chain.back(), 3);
        Commit last = compositor.last_commit();
        EXPECT_EQ(last.width, int32_t(extent.width));
        EXPECT_EQ(last.height, int32_t(extent.height));
        if (!keep_old && chain.size() > 1)
            chain.erase(chain.begin());
    }
    chain.clear();
    EXPECT_EQ(holdings(client.app), before);
}

INSTANTIATE_TEST_SUITE_P(, Resizing, testing::Bool(), [](auto& tested) {
    return tested.param ? "OldOnesAtTheEnd" : "OldOnesAfterEachResize";
});

TEST_F(Lifetime, RetiredSwapchainsMayBeDestroyedInAnyOrder) {
    Client client(start());
    std::vector<Swapchain> chain;
    for (int i = 0; i < 4; ++i) {
        VkSwapchainKHR old = chain.empty() ? VK_NULL_HANDLE : chain.back().handle.get();
        chain.push_back(client.swapchain({.old = old}));
        ASSERT_EQ(chain.back().result, VK_SUCCESS);
        frames(client, chain.back(), 2);
    }
    for (size_t index : {3u, 0u, 2u, 1u})
        chain[index].handle.reset();
    Swapchain after = client.swapchain();
    EXPECT_EQ(after.result, VK_SUCCESS);
    frames(client, after, 2);
}

TEST_F(Lifetime, NullHandlesMayBeDestroyed) {
    Client client(start());
    vkDestroySwapchainKHR(client.device, VK_NULL_HANDLE, nullptr);
    vkDestroySurfaceKHR(client.instance, VK_NULL_HANDLE, nullptr);
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
}

TEST_F(Lifetime, AWindowIsUsableAfterItsSwapchainIsDestroyed) {
    Compositor& compositor = start();
    Client client(compositor);
    for (int i = 0; i < 3; ++i) {
        Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        frames(client, swapchain, 3);
    }
    EXPECT_EQ(compositor.commits(), 9u);
}

} // namespace
} // namespace fencebridge::test
