// SPDX-License-Identifier: MIT
// Invariant 7 for failures of the compositor: it disconnects, posts a protocol error, or refuses a
// buffer.
#include "everything.hpp"
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace fencebridge::test {
namespace {

class Faults : public CompositorTest {};

// The connection ends before the present here. A present that the compositor reads before the
// connection ends returns VK_SUCCESS.
TEST_F(Faults, AcquireAndPresentReturnSurfaceLostAfterTheCompositorDisconnects) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    auto [result, index] = client.acquire(swapchain);
    ASSERT_EQ(result, VK_SUCCESS);
    compositor.disconnect_clients();
    EXPECT_EQ(client.present(swapchain, index), VK_ERROR_SURFACE_LOST_KHR);
    for (uint64_t timeout : {uint64_t(0), uint64_t(1'000'000), forever})
        EXPECT_EQ(client.acquire(swapchain, timeout).result, VK_ERROR_SURFACE_LOST_KHR);
}

// The application repeats a present that ran out of memory, and waits for both semaphores again.
TEST_F(Faults, APresentIsOutOfMemoryOnlyWhileEachSemaphoreHasItsSignal) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    const uint32_t index = client.acquire(swapchain).index;
    const auto one = make_semaphore(client.device);
    const auto other = make_semaphore(client.device);
    client.renderer.submit({}, {one, other});
    const auto present_without_semaphore = [&](uint32_t nth) {
        fake_driver().fail_call("vkGetSemaphoreFdKHR", nth, VK_ERROR_OUT_OF_HOST_MEMORY);
        fake_driver().fail_call("vkQueueSubmit", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
        return client.present_after(swapchain, index, {one, other});
    };
    EXPECT_EQ(present_without_semaphore(1), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(fake_driver().injected_failures(), 2u);
    EXPECT_EQ(present_without_semaphore(2), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(fake_driver().injected_failures(), 4u);
    vkDeviceWaitIdle(client.device);
}

TEST_F(Faults, APresentThatWaitsForARefreshFailsWhenTheCompositorDisconnects) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    auto [result, index] = client.acquire(swapchain);
    ASSERT_EQ(result, VK_SUCCESS);
    std::thread ending([&] { compositor.disconnect_clients(); });
    EXPECT_EQ(client.present(swapchain, index), VK_ERROR_SURFACE_LOST_KHR);
    ending.join();
}

TEST_F(Faults, AWaitingAcquireFailsWhenTheCompositorDisconnects) {
    Compositor& compositor = start({.release = Release::manual});
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(client.show_every_image(swapchain), VK_SUCCESS);
    VkResult result = VK_SUCCESS;
    std::thread waiting([&] { result = client.acquire(swapchain).result; });
    compositor.disconnect_clients();
    waiting.join();
    EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
}

TEST_F(Faults, ASwapchainCanBeDestroyedButNotCreatedAfterTheCompositorDisconnects) {
    Compositor& compositor = start();
    Client client(compositor);
    {
        Swapchain swapchain = client.swapchain();
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        compositor.disconnect_clients();
        vkDeviceWaitIdle(client.device);
    }
    EXPECT_EQ(client.swapchain().result, VK_ERROR_SURFACE_LOST_KHR);
}

TEST_F(Faults, VkCreateWaylandSurfaceReturnsAnAllowedResultAfterTheCompositorDisconnects) {
    Compositor& compositor = start();
    Client client(compositor);
    client.surface.reset();
    compositor.disconnect_clients();
    VkWaylandSurfaceCreateInfoKHR info{VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR};
    info.display = client.app.display();
    info.surface = client.window;
    VkSurfaceKHR surface = VK_NULL_HANDLE;
    VkResult result = vkCreateWaylandSurfaceKHR(client.instance, &info, nullptr, &surface);
    // The specification lists only out-of-memory errors for this call.
    EXPECT_TRUE(result == VK_SUCCESS || result == VK_ERROR_OUT_OF_HOST_MEMORY) << result;
    if (result == VK_SUCCESS)
        vkDestroySurfaceKHR(client.instance, surface, nullptr);
}

struct ErrorCase {
    const char* name;
    const char* interface;
    const char* request;
    uint32_t code;
};

class ProtocolErrors : public Faults, public testing::WithParamInterface<ErrorCase> {};

TEST_P(ProtocolErrors, AProtocolErrorLosesTheSurfaceAndIsLoggedOnce) {
    const ErrorCase& fault = GetParam();
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain();
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    uint32_t object = compositor.on_thread([&](Scene& scene) {
        uint32_t last = 0;
        for (const Request& request : scene.requests())
            if (request.interface == fault.interface && request.name == fault.request)
                last = request.object;
        scene.add_fault(
            {.interface = fault.interface, .request = fault.request, .code = fault.code});
        return last;
    });
    auto [result, index] = client.acquire(swapchain);
    ASSERT_EQ(result, VK_SUCCESS);
    client.present(swapchain, index); // sends the request that causes the protocol error
    compositor.settle();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.acquire(swapchain).result, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(log.lines_with({"fencebridge: error:", fault.interface, std::to_string(object),
                              std::to_string(fault.code)})
                  .size(),
              1u)
        << log.text();
    vkDeviceWaitIdle(client.device);
}

INSTANTIATE_TEST_SUITE_P(, ProtocolErrors,
                         testing::Values(ErrorCase{"Commit", "wl_surface", "commit", 4242},
                                         ErrorCase{"Attach", "wl_surface", "attach", 777}),
                         [](auto& tested) { return std::string(tested.param.name); });

TEST_F(Faults, AProtocolErrorInAnswerToABufferLosesTheSurface) {
    ErrorLog log;
    Compositor& compositor = start();
    Client client(compositor);
    compositor.on_thread([](Scene& scene) {
        for (const char* request : {"create", "create_immed"})
            scene.add_fault(
                {.interface = "zwp_linux_buffer_params_v1", .request = request, .code = 7});
    });
    // The error arrives after the request. vkCreateSwapchainKHR may return it, or one of the first
    // frames.
    Swapchain swapchain = client.swapchain();
    VkResult result = swapchain.result;
    for (int i = 0; result == VK_SUCCESS && i < 10; ++i) {
        result = client.frame(swapchain);
        compositor.settle();
    }
    EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(log.lines_with({"fencebridge: error:", "zwp_linux_buffer_params_v1", "7"}).size(), 1u)
        << log.text();
    vkDeviceWaitIdle(client.device);
}

// zwp_linux_buffer_params_v1.failed is no protocol error: the surface can still be used.
TEST_F(Faults, ABufferThatTheCompositorRefusesFailsTheSwapchainButNotTheNext) {
    Compositor& compositor = start();
    Client client(compositor);
    compositor.refuse_buffers(true);
    EXPECT_EQ(client.swapchain().result, VK_ERROR_INITIALIZATION_FAILED);
    compositor.refuse_buffers(false);
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
}

// The compositor disconnects at the layer's first request of one kind, the parameter. The
// application receives an error, and neither hangs nor crashes.
class DisconnectAtRequest
    : public Faults,
      public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(DisconnectAtRequest, AVulkanCallReturnsAnError) {
    // A surface whose connection ends early passes through. If the driver had its own WSI,
    // vkCreateSwapchainKHR would succeed there.
    fake_driver().set_native_wsi(VK_FALSE);
    Compositor& compositor = start();
    App app(compositor);
    Owned<VkInstance> instance = make_instance();
    Owned<wl_surface*> window = app.new_surface();
    app.round_trip();
    compositor.on_thread([](Scene& scene) {
        auto [interface, request] = GetParam();
        scene.add_fault(
            {.kind = Fault::Kind::disconnect, .interface = interface, .request = request});
        scene.add_fault({.kind = Fault::Kind::disconnect,
                         .interface = interface,
                         .request = std::string(request) + "_immed"});
    });
    VkWaylandSurfaceCreateInfoKHR info{VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR};
    info.display = app.display();
    info.surface = window;
    VkSurfaceKHR created = VK_NULL_HANDLE;
    VkResult result = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &created);
    if (result != VK_SUCCESS)
        return;
    Owned<VkSurfaceKHR> surface(
        created, [&](VkSurfaceKHR dying) { vkDestroySurfaceKHR(instance, dying, nullptr); });
    Device device(instance);
    Renderer renderer(device);
    Swapchain swapchain(device, surface);
    result = swapchain.result;
    for (int i = 0; result == VK_SUCCESS && i < 10; ++i) {
        result = renderer.frame(swapchain);
        compositor.settle();
    }
    EXPECT_LT(result, 0);
    vkDeviceWaitIdle(device);
}

INSTANTIATE_TEST_SUITE_P(, DisconnectAtRequest,
                         testing::Values(std::pair("wl_registry", "bind"),
                                         std::pair("zwp_linux_dmabuf_v1", "get_surface_feedback"),
                                         std::pair("zwp_linux_dmabuf_v1", "create_params"),
                                         std::pair("zwp_linux_buffer_params_v1", "add"),
                                         std::pair("zwp_linux_buffer_params_v1", "create"),
                                         std::pair("wl_surface", "attach"),
                                         std::pair("wl_surface", "commit")),
                         [](auto& tested) {
                             return std::string(tested.param.first) + "_" + tested.param.second;
                         });

// The same for every request that the layer makes in the life of an application that uses
// everything: the compositor disconnects, or answers with a protocol error.
class EachRequest : public Faults, public testing::WithParamInterface<Fault::Kind> {
protected:
    using Name = std::pair<std::string, std::string>; // of the interface and of the request

    // The requests that the compositor has received, without those of the application itself.
    static std::set<Name> requests_of(Compositor& compositor, size_t first) {
        return compositor.on_thread([&](Scene& scene) {
            std::set<Name> names;
            for (size_t i = first; i < scene.requests().size(); ++i)
                names.emplace(scene.requests()[i].interface, scene.requests()[i].name);
            return names;
        });
    }

    // What the application does. `prepare` is called once it has a window.
    // Returns the first failure of a Vulkan call.
    template <class Prepare>
    VkResult live(Compositor& compositor, Prepare&& prepare) {
        App app(compositor);
        Owned<VkInstance> instance = make_instance(options_of_everything());
        Owned<wl_surface*> window = app.new_surface();
        app.round_trip();
        Device device(instance, extensions_of_everything());
        Renderer renderer(device);
        prepare();
        VkWaylandSurfaceCreateInfoKHR info{VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR};
        info.display = app.display();
        info.surface = window;
        VkSurfaceKHR created = VK_NULL_HANDLE;
        VkResult result = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &created);
        if (result != VK_SUCCESS)
            return result;
        Owned<VkSurfaceKHR> surface(
            created, [&](VkSurfaceKHR dying) { vkDestroySurfaceKHR(instance, dying, nullptr); });
        EverythingSwapchain swapchain(device, surface);
        result = swapchain.result();
        if (result == VK_SUCCESS)
            result = swapchain.set_size(16);
        for (int i = 0; result == VK_SUCCESS && i < 6; ++i) {
            swapchain.set_mode(i % 2 == 1 ? EverythingSwapchain::Mode::tears
                                          : EverythingSwapchain::Mode::fifo);
            swapchain.change_metadata();
            result = show(compositor, swapchain, renderer);
        }
        vkDeviceWaitIdle(device);
        return result;
    }

    // A failed present signals its fence, and nobody waits for ever for its number.
    static VkResult show(Compositor& compositor, EverythingSwapchain& swapchain,
                         Renderer& renderer) {
        const Acquired acquired = swapchain.acquire();
        if (acquired.result < 0)
            return acquired.result;
        swapchain.render(renderer);
        const VkResult presented = swapchain.present(acquired.index);
        EXPECT_TRUE(swapchain.finish());
        compositor.settle();
        const VkResult waited = swapchain.wait_for_present(forever);
        const VkResult reported = swapchain.take_reports();
        if (presented < 0) {
            EXPECT_EQ(waited, VK_ERROR_SURFACE_LOST_KHR);
            EXPECT_EQ(reported, VK_ERROR_SURFACE_LOST_KHR);
        }
        return std::min({presented, waited, reported});
    }
};

TEST_P(EachRequest, ThatEndsTheConnectionLosesTheSurface) {
    // If the driver had its own WSI, vkCreateSwapchainKHR would succeed there.
    fake_driver().set_native_wsi(VK_FALSE);
    std::set<Name> names;
    {
        Compositor compositor(script_of_everything());
        size_t first = 0;
        ASSERT_EQ(live(compositor,
                       [&] {
                           first = compositor.on_thread(
                               [](Scene& scene) { return scene.requests().size(); });
                       }),
                  VK_SUCCESS);
        names = requests_of(compositor, first);
    }
    EXPECT_GT(names.size(), 15u);
    for (const auto& [interface, request] : names) {
        SCOPED_TRACE(interface + "." + request);
        const auto objects = live_driver_objects();
        const size_t fds = open_fds();
        {
            ErrorLog log;
            Compositor compositor(script_of_everything());
            const VkResult result = live(compositor, [&] {
                compositor.on_thread([&](Scene& scene) {
                    scene.add_fault({.kind = GetParam(),
                                     .interface = interface,
                                     .request = request,
                                     .code = 4242});
                });
            });
            // The last objects are destroyed after the last Vulkan call that has a result.
            if (request != "destroy") {
                EXPECT_TRUE(result == VK_ERROR_SURFACE_LOST_KHR ||
                            result == VK_ERROR_INITIALIZATION_FAILED)
                    << result;
            }
            EXPECT_LE(log.lines_with({"fencebridge: error: Wayland"}).size(), 1u) << log.text();
        }
        EXPECT_EQ(live_driver_objects(), objects);
        EXPECT_EQ(open_fds(), fds);
    }
}

INSTANTIATE_TEST_SUITE_P(, EachRequest,
                         testing::Values(Fault::Kind::disconnect, Fault::Kind::protocol_error),
                         [](const auto& tested) {
                             return tested.param == Fault::Kind::disconnect ? "ByADisconnect"
                                                                            : "ByAProtocolError";
                         });

} // namespace
} // namespace fencebridge::test
