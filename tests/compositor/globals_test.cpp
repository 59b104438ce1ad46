// SPDX-License-Identifier: MIT
// Globals that the compositor removes and announces again while the application runs.
#include "fixture.hpp"

namespace fencebridge::test {
namespace {

class GlobalsTest : public CompositorTest {
protected:
    void remove(const char* interface) {
        ASSERT_TRUE(
            compositor_->on_thread([=](Scene& scene) { return scene.remove_global(interface); }));
    }
    void announce_again(const char* interface) {
        compositor_->on_thread([=](Scene& scene) { scene.add_global(interface); });
    }
    static void expect_frames(Client& client, const Swapchain& swapchain) {
        for (int i = 0; i < 20; ++i)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        ASSERT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        client.app.round_trip();
        EXPECT_EQ(wl_display_get_error(client.app.display()), 0);
    }
    static constexpr SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};
};

class GlobalsThatComeAndGo : public GlobalsTest, public testing::WithParamInterface<const char*> {};

// What the layer has bound stays usable. wl_compositor and wl_output stand for the
// many that it does not bind.
TEST_P(GlobalsThatComeAndGo, FramesGoOnWhileAGlobalIsRemovedAndAnnouncedAgain) {
    Client client(start({.globals = {.fifo = 1}}));
    Swapchain swapchain = client.swapchain(fifo);
    expect_frames(client, swapchain);
    for (int i = 0; i < 3; ++i) {
        remove(GetParam());
        expect_frames(client, swapchain);
        announce_again(GetParam());
        expect_frames(client, swapchain);
    }
}

// The next swapchain finds the global again.
TEST_P(GlobalsThatComeAndGo, ASwapchainIsReplacedAfterAGlobalWasAnnouncedAgain) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    {
        Swapchain swapchain = client.swapchain(fifo);
        expect_frames(client, swapchain);
        remove(GetParam());
        announce_again(GetParam());
    }
    Swapchain swapchain = client.swapchain(fifo);
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    expect_frames(client, swapchain);
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    EXPECT_TRUE(compositor.last_commit().fifo_set_barrier);
#endif
}

constexpr const char* interfaces[] = {
    "wl_compositor",
    "wl_output",
    "zwp_linux_dmabuf_v1",
#ifdef FAKE_COMPOSITOR_HAS_FIFO
    "wp_fifo_manager_v1",
#endif
};
INSTANTIATE_TEST_SUITE_P(, GlobalsThatComeAndGo, testing::ValuesIn(interfaces),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_F(GlobalsTest, ASwapchainWithoutLinuxDmabufFailsAndALaterOneSucceeds) {
    Client client(start());
    remove("zwp_linux_dmabuf_v1");
    EXPECT_EQ(client.swapchain().result, VK_ERROR_INITIALIZATION_FAILED);
    announce_again("zwp_linux_dmabuf_v1");
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    expect_frames(client, swapchain);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
// The swapchain on the wl_surface is the only one, so each has a Connection of its own.
TEST_F(GlobalsTest, EachSwapchainUsesWhatTheCompositorHasThen) {
    Compositor& compositor = start({.globals = {.fifo = 1}});
    Client client(compositor);
    remove("wp_fifo_manager_v1");
    {
        Swapchain swapchain = client.swapchain(fifo);
        expect_frames(client, swapchain);
        EXPECT_FALSE(compositor.last_commit().fifo_set_barrier);
        EXPECT_TRUE(compositor.last_commit().frame_callback);
    }
    announce_again("wp_fifo_manager_v1");
    Swapchain swapchain = client.swapchain(fifo);
    expect_frames(client, swapchain);
    EXPECT_TRUE(compositor.last_commit().fifo_set_barrier);
}
#endif

TEST_F(GlobalsTest, ASurfaceEntersAnOutputThatCameLater) {
    Client client(start());
    Swapchain swapchain = client.swapchain(fifo);
    expect_frames(client, swapchain);
    remove("wl_output");
    announce_again("wl_output");
    compositor_->on_thread([](Scene& scene) { scene.enter_output(); });
    expect_frames(client, swapchain);
}

} // namespace
} // namespace fencebridge::test
