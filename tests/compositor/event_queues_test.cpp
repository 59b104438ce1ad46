// SPDX-License-Identifier: MIT
// Invariant 8 on the wl_display that application and layer share: each receives only its own
// events, and neither prevents the other from reading.
#include "fixture.hpp"

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

class EventQueues : public CompositorTest {};

// Reads all events that the compositor has sent, which puts them into their queues. Does not
// dispatch the default queue.
void read_all(App& app) {
    wl_event_queue* queue = wl_display_create_queue(app.display());
    wl_display_roundtrip_queue(app.display(), queue);
    wl_event_queue_destroy(queue);
}

struct Fired {
    int count = 0;
    std::thread::id thread;
};

const wl_callback_listener count_callback = {[](void* data, wl_callback*, uint32_t) {
    ++static_cast<Fired*>(data)->count;
    static_cast<Fired*>(data)->thread = std::this_thread::get_id();
}};

Owned<wl_callback*> request_sync(App& app, Fired& fired) {
    wl_callback* callback = wl_display_sync(app.display());
    wl_callback_add_listener(callback, &count_callback, &fired);
    wl_display_flush(app.display());
    return {callback, wl_callback_destroy};
}

TEST_F(EventQueues, NoEventOfTheLayerIsOnTheDefaultQueue) {
    for (VkPresentModeKHR mode : {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR}) {
        Client client(start());
        client.app.round_trip();
        Swapchain swapchain = client.swapchain({.mode = mode});
        for (int i = 0; i < 20; ++i)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        compositor_->on_thread([](Scene& scene) { scene.set_feedback(linear_feedback()); });
        read_all(client.app);
        EXPECT_EQ(wl_display_dispatch_pending(client.app.display()), 0);
        vkDeviceWaitIdle(client.device);
    }
}

TEST_F(EventQueues, TheApplicationReceivesAllOfItsOwnEvents) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    Fired frame;
    Fired sync;
    wl_callback* callback = wl_surface_frame(client.window);
    wl_callback_add_listener(callback, &count_callback, &frame);
    Owned<wl_callback*> frame_owner(callback, wl_callback_destroy);
    Owned<wl_callback*> sync_owner = request_sync(client.app, sync);
    for (int i = 0; i < 20; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    read_all(client.app);
    EXPECT_EQ(frame.count + sync.count, 0) << "a Vulkan call dispatched the default queue";
    EXPECT_EQ(wl_display_dispatch_pending(client.app.display()), 2);
    EXPECT_EQ(frame.count, 1);
    EXPECT_EQ(sync.count, 1);
}

TEST_F(EventQueues, TheApplicationsListenersAreCalledOnTheThreadThatDispatches) {
    Client client(start({.refresh = Refresh::periodic}));
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    std::atomic<bool> done = false;
    std::thread rendering([&] {
        for (int i = 0; i < 60; ++i)
            EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        done = true;
    });
    while (!done) {
        Fired fired;
        Owned<wl_callback*> callback = request_sync(client.app, fired);
        client.app.round_trip();
        ASSERT_EQ(fired.count, 1);
        ASSERT_EQ(fired.thread, std::this_thread::get_id());
    }
    rendering.join();
}

TEST_F(EventQueues, AWaitingAcquireDoesNotStarveTheApplication) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    std::thread waiting([&] { EXPECT_EQ(client.acquire(swapchain).result, VK_SUCCESS); });
    for (int i = 0; i < 50; ++i) {
        Fired fired;
        Owned<wl_callback*> callback = request_sync(client.app, fired);
        client.app.round_trip();
        EXPECT_EQ(fired.count, 1);
    }
    compositor.release(*compositor.commit_at(0).buffer);
    waiting.join();
}

TEST_F(EventQueues, AnApplicationThatWaitsForEventsDoesNotStarveAcquire) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    client.app.round_trip();
    // Blocks in poll() until an event for the default queue arrives, which is after the acquire.
    std::thread dispatching([&] { EXPECT_GE(wl_display_dispatch(client.app.display()), 0); });
    std::thread releasing([&] { compositor.release(*compositor.commit_at(0).buffer); });
    EXPECT_EQ(client.acquire(swapchain).result, VK_SUCCESS);
    releasing.join();
    Fired fired;
    Owned<wl_callback*> callback = request_sync(client.app, fired);
    dispatching.join();
}

// wl_display_read_events() waits until every thread that prepared to read has read or cancelled. A
// round trip in a destroy function would wait for the thread that makes it.
TEST_F(EventQueues, DestructionDoesNotWaitForAReadThatItsCallerPrepared) {
    Client client(start({.refresh = Refresh::manual, .release = Release::manual}));
    Swapchain first = client.swapchain();
    ASSERT_EQ(client.frame(first), VK_SUCCESS);
    Swapchain second = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .old = first});
    ASSERT_EQ(client.frame(second), VK_SUCCESS);
    ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
    while (wl_display_prepare_read(client.app.display()) != 0)
        wl_display_dispatch_pending(client.app.display());
    first.handle.reset();
    second.handle.reset();
    client.surface.reset();
    wl_display_cancel_read(client.app.display());
}

TEST_F(EventQueues, SurfaceQueriesMakeNoRoundTrip) {
    Compositor& compositor = start();
    Client client(compositor);
    auto query = [&] {
        VkPhysicalDevice device = client.device.physical;
        VkSurfaceCapabilitiesKHR capabilities;
        ASSERT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device, client.surface, &capabilities),
                  VK_SUCCESS);
        VkPhysicalDeviceSurfaceInfo2KHR info{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR};
        info.surface = client.surface;
        VkSurfaceCapabilities2KHR capabilities2{VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
        auto get_capabilities2 = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
            vkGetInstanceProcAddr(client.instance, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
        ASSERT_EQ(get_capabilities2(device, &info, &capabilities2), VK_SUCCESS);
        uint32_t count = 0;
        ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(device, client.surface, &count, nullptr),
                  VK_SUCCESS);
        ASSERT_EQ(
            vkGetPhysicalDeviceSurfacePresentModesKHR(device, client.surface, &count, nullptr),
            VK_SUCCESS);
        VkBool32 supported = VK_FALSE;
        ASSERT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(device, 0, client.surface, &supported),
                  VK_SUCCESS);
        EXPECT_TRUE(supported);
    };
    query(); // the first query may make requests
    size_t before = compositor.round_trips();
    size_t requests = compositor.on_thread([](Scene& scene) { return scene.requests().size(); });
    for (int i = 0; i < 100; ++i)
        query();
    EXPECT_EQ(compositor.round_trips(), before);
    EXPECT_EQ(compositor.on_thread([](Scene& scene) { return scene.requests().size(); }), requests);
}

TEST_F(EventQueues, FramesMakeNoRoundTrip) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    size_t before = compositor.round_trips();
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(compositor.round_trips(), before);
    vkDeviceWaitIdle(client.device);
}

// The first swapchain of a connection makes a round trip to find the globals. Later swapchains use
// the same globals, and wait only for the answers to their buffers.
TEST_F(EventQueues, FurtherSwapchainsOfAConnectionDoNotLookForTheGlobals) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain first = client.swapchain();
    const SecondWindow second_window(client);
    size_t round_trips = compositor.round_trips();
    size_t registries = compositor.requests("wl_display", "get_registry");
    Swapchain second(client.device, second_window.surface);
    ASSERT_EQ(second.result, VK_SUCCESS);
    ASSERT_EQ(client.swapchain({.old = first}).result, VK_SUCCESS);
    EXPECT_EQ(compositor.round_trips(), round_trips);
    EXPECT_EQ(compositor.requests("wl_display", "get_registry"), registries);
}

TEST_F(EventQueues, CreatingASurfaceTakesTwoRoundTrips) {
    for (uint32_t version : {3u, 4u}) {
        Compositor& compositor = start({.globals = {.dmabuf = version}});
        App app(compositor);
        Owned<VkInstance> instance = make_instance();
        Owned<wl_surface*> window = app.new_surface();
        size_t before = compositor.round_trips();
        Owned<VkSurfaceKHR> surface = make_surface(instance, app, window);
        EXPECT_EQ(compositor.round_trips(), before + 2);
    }
}

} // namespace
} // namespace fencebridge::test
