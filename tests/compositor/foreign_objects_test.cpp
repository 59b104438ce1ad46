// SPDX-License-Identifier: MIT
// A wl_surface for which somebody else in the process, such as a toolkit, has made an object that a
// wl_surface can have once.
#include "fixture.hpp"

#include <fifo-v1-client-protocol.h>

#include <cstdlib>
#include <cstring>

namespace fencebridge::test {
namespace {

class Toolkit {
public:
    Toolkit(const App& app, wl_surface* surface) {
        wl_registry* registry = wl_display_get_registry(app.display());
        static const wl_registry_listener listener = {bind, [](void*, wl_registry*, uint32_t) {}};
        wl_registry_add_listener(registry, &listener, this);
        wl_display_roundtrip(app.display());
        wl_registry_destroy(registry);
        fifo_ = wp_fifo_manager_v1_get_fifo(manager_, surface);
        wl_display_roundtrip(app.display());
    }
    ~Toolkit() {
        wp_fifo_v1_destroy(fifo_);
        wp_fifo_manager_v1_destroy(manager_);
    }
    Toolkit(const Toolkit&) = delete;
    Toolkit& operator=(const Toolkit&) = delete;

private:
    static void bind(void* data, wl_registry* registry, uint32_t name, const char* interface,
                     uint32_t) {
        if (std::strcmp(interface, wp_fifo_manager_v1_interface.name) == 0)
            static_cast<Toolkit*>(data)->manager_ = static_cast<wp_fifo_manager_v1*>(
                wl_registry_bind(registry, name, &wp_fifo_manager_v1_interface, 1));
    }

    wp_fifo_manager_v1* manager_ = nullptr;
    wp_fifo_v1* fifo_ = nullptr;
};

class ForeignObjects : public CompositorTest {
protected:
    void TearDown() override {
        unsetenv("FENCEBRIDGE_AVOID");
        CompositorTest::TearDown();
    }
    static constexpr SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};
};

TEST_F(ForeignObjects, ASwapchainMakesNoFifoObjectBeforeItsFirstFifoFrame) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    const Toolkit toolkit(client.app, client.window);
    ASSERT_EQ(client.swapchain(fifo).result, VK_SUCCESS); // and is destroyed at once
    Swapchain mailbox = client.swapchain();
    for (int i = 0; i < 5; ++i)
        ASSERT_EQ(client.frame(mailbox), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_EQ(compositor.requests("wp_fifo_manager_v1", "get_fifo"), 1u); // the toolkit's
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

TEST_F(ForeignObjects, OneLogLineNamesTheSettingIfTheConnectionEnds) {
    ErrorLog log;
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    const Toolkit toolkit(client.app, client.window);
    Swapchain swapchain = client.swapchain(fifo);
    // The first frame sends the request that causes the protocol error. A later one reads the
    // error.
    VkResult result = VK_SUCCESS;
    for (int i = 0; i < 20 && result == VK_SUCCESS; ++i) {
        result = client.frame(swapchain);
        compositor.settle();
    }
    EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(client.acquire(swapchain, 0).result, VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(log.lines_with({"fencebridge: error: Wayland protocol error: wp_fifo_manager_v1#",
                              "FENCEBRIDGE_AVOID=fifo-v1"})
                  .size(),
              1u)
        << log.text();
    vkDeviceWaitIdle(client.device);
}

TEST_F(ForeignObjects, WithTheSettingAvoidFifoWorksWithoutTheObject) {
    setenv("FENCEBRIDGE_AVOID", "fifo-v1", 1);
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    const Toolkit toolkit(client.app, client.window);
    Swapchain swapchain = client.swapchain(fifo);
    for (int i = 0; i < 5; ++i)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    EXPECT_TRUE(compositor.last_commit().frame_callback);
    EXPECT_FALSE(compositor.last_commit().fifo_set_barrier);
    EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
}

} // namespace
} // namespace fencebridge::test
