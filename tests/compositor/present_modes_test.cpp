// SPDX-License-Identifier: MIT
// Which present modes are offered, and which requests a frame of each makes.
#include "fixture.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr VkPresentModeKHR fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr VkPresentModeKHR mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
#ifdef FAKE_COMPOSITOR_HAS_TEARING
constexpr VkPresentModeKHR immediate = VK_PRESENT_MODE_IMMEDIATE_KHR;
#endif
#if defined(FAKE_COMPOSITOR_HAS_TEARING) && defined(FAKE_COMPOSITOR_HAS_FIFO)
constexpr VkPresentModeKHR relaxed = VK_PRESENT_MODE_FIFO_RELAXED_KHR;
// VK_PRESENT_MODE_FIFO_LATEST_READY_KHR, which older headers lack.
constexpr auto latest_ready = VkPresentModeKHR(1000361000);
#endif

// How long a test waits for a commit that must not arrive.
constexpr std::chrono::milliseconds short_while{100};

class PresentModes : public CompositorTest {
protected:
    static std::vector<VkPresentModeKHR> offered(const Client& client) {
        std::vector<VkPresentModeKHR> modes(8);
        auto count = uint32_t(modes.size());
        EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical, client.surface,
                                                            &count, modes.data()),
                  VK_SUCCESS);
        modes.resize(count);
        return modes;
    }
    void show(Client& client, const Swapchain& swapchain, int frames) {
        ASSERT_EQ(swapchain.result, VK_SUCCESS);
        for (int frame = 0; frame < frames; ++frame)
            ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    }
    // Shows two frames of a swapchain with the first mode, and two of one with the second mode,
    // which replaces the first swapchain. Returns the last two commits.
    std::vector<Commit> change(Client& client, VkPresentModeKHR from, VkPresentModeKHR to) {
        const Swapchain old = client.swapchain({.mode = from});
        show(client, old, 2);
        const Swapchain swapchain = client.swapchain({.mode = to, .old = old});
        show(client, swapchain, 2);
        EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
        return compositor_->on_thread([](Scene& scene) {
            return std::vector(scene.commits().end() - 2, scene.commits().end());
        });
    }
};

// --- what is offered ---

TEST_F(PresentModes, FifoAndMailboxNeedNoProtocol) {
    Client client(start());
    EXPECT_EQ(offered(client), (std::vector{fifo, mailbox}));
    EXPECT_EQ(client.swapchain({.mode = VK_PRESENT_MODE_IMMEDIATE_KHR}).result,
              VK_ERROR_INITIALIZATION_FAILED);
    EXPECT_EQ(client.swapchain({.mode = VK_PRESENT_MODE_FIFO_RELAXED_KHR}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(PresentModes, TwoImagesAreTheMinimumOfASurfaceAndOfFifo) {
    Client client(start());
    const auto capabilities =
        query_capabilities(client.instance, client.device, client.surface, nullptr);
    EXPECT_EQ(capabilities.minImageCount, 2u);
    EXPECT_EQ(client.swapchain({.mode = fifo, .min_images = 2}).images.size(), 2u);
    EXPECT_EQ(client.swapchain({.mode = mailbox, .min_images = 2}).images.size(), 4u);
}

#ifdef FAKE_COMPOSITOR_HAS_TEARING

TEST_F(PresentModes, ImmediateNeedsTearingControl) {
    Client client(start({.globals = {.tearing = 1}}));
    EXPECT_EQ(offered(client), (std::vector{fifo, mailbox, immediate}));
    EXPECT_EQ(client.swapchain({.mode = immediate, .min_images = 2}).images.size(), 3u);
    EXPECT_EQ(client.swapchain({.mode = VK_PRESENT_MODE_FIFO_RELAXED_KHR}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

// The compositor removed the global between the creation of the VkSurfaceKHR and of the swapchain.
// The surface has listed it. "May result in visible tearing" allows not to tear.
TEST_F(PresentModes, AModeWhoseProtocolIsGoneDoesNotTear) {
    Compositor& compositor = start({.globals = {.tearing = 1}});
    Client client(compositor);
    compositor.on_thread([](Scene& scene) { scene.remove_tearing_global(); });
    const Swapchain swapchain = client.swapchain({.mode = immediate});
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    show(client, swapchain, 3);
    compositor.on_thread([](Scene& scene) {
        EXPECT_EQ(scene.commits().size(), 3u);
        EXPECT_TRUE(std::ranges::none_of(scene.commits(), &Commit::may_tear));
    });
    vkDeviceWaitIdle(client.device);
}

// --- the presentation hint ---

TEST_F(PresentModes, AllFramesOfImmediateMayTearByOneRequest) {
    Compositor& compositor = start({.globals = {.tearing = 1}});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = immediate});
    show(client, swapchain, 10);
    compositor.on_thread([](Scene& scene) {
        EXPECT_EQ(scene.commits().size(), 10u);
        EXPECT_TRUE(std::ranges::all_of(scene.commits(), &Commit::may_tear));
        EXPECT_TRUE(std::ranges::none_of(scene.commits(), &Commit::frame_callback));
        EXPECT_EQ(scene.count("wp_tearing_control_manager_v1", "get_tearing_control"), 1u);
        EXPECT_EQ(scene.count("wp_tearing_control_v1", "set_presentation_hint"), 1u);
    });
    vkDeviceWaitIdle(client.device);
}

TEST_F(PresentModes, ImmediateDoesNotWaitForARefresh) {
    Compositor& compositor =
        start({.globals = {.tearing = 1}, .refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = immediate});
    for (size_t frame = 1; frame <= 6; ++frame) {
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(compositor.commits(), frame);
    }
    vkDeviceWaitIdle(client.device);
}

class AfterImmediate : public PresentModes, public testing::WithParamInterface<VkPresentModeKHR> {};

TEST_P(AfterImmediate, NoFrameTears) {
    Compositor& compositor = start({.globals = {.tearing = 1}});
    Client client(compositor);
    const auto commits = change(client, immediate, GetParam());
    EXPECT_TRUE(std::ranges::none_of(commits, &Commit::may_tear));
    EXPECT_EQ(compositor.requests("wp_tearing_control_v1", "set_presentation_hint"), 2u);
}

INSTANTIATE_TEST_SUITE_P(, AfterImmediate, testing::Values(fifo, mailbox), name_of_mode);

// The wl_surface of a swapchain that is gone may get a wp_tearing_control_v1 from somebody else.
TEST_F(PresentModes, TheTearingControlIsDestroyedWithTheLastSwapchain) {
    Compositor& compositor = start({.globals = {.tearing = 1}});
    Client client(compositor);
    const auto live = [&] {
        client.app.round_trip();
        return compositor.on_thread(
            [](Scene& scene) { return scene.live_objects()["wp_tearing_control_v1"]; });
    };
    for (int i = 0; i < 2; ++i) {
        Swapchain swapchain = client.swapchain({.mode = immediate});
        EXPECT_EQ(live(), 0u); // created by the first commit
        show(client, swapchain, 1);
        EXPECT_EQ(live(), 1u);
        vkDeviceWaitIdle(client.device);
        swapchain = {};
        EXPECT_EQ(live(), 0u);
    }
}

TEST_F(PresentModes, FifoAndMailboxDoNotControlTearing) {
    Compositor& compositor = start({.globals = {.tearing = 1}});
    Client client(compositor);
    change(client, fifo, mailbox);
    EXPECT_EQ(compositor.requests("wp_tearing_control_manager_v1", "get_tearing_control"), 0u);
}

#endif

// --- from one mode to another ---

TEST_F(PresentModes, MailboxWaitsUntilTheLastFrameOfFifoIsShown) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    const Swapchain old = client.swapchain({.mode = fifo});
    show(client, old, 1);
    const Swapchain swapchain = client.swapchain({.mode = mailbox, .old = old});
    const uint32_t index = client.acquire(swapchain).index;
    std::thread presenting([&] { EXPECT_EQ(client.present(swapchain, index), VK_SUCCESS); });
    EXPECT_FALSE(compositor.wait_for_commits(2, short_while));
    compositor.refresh();
    EXPECT_TRUE(compositor.wait_for_commits(2));
    presenting.join();
    EXPECT_FALSE(compositor.last_commit().frame_callback);
    for (size_t frame = 3; frame <= 6; ++frame) {
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_EQ(compositor.commits(), frame);
    }
    vkDeviceWaitIdle(client.device);
}

TEST_F(PresentModes, FifoReplacesAFrameOfMailboxWithoutAWait) {
    Compositor& compositor = start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(compositor);
    const Swapchain old = client.swapchain({.mode = mailbox});
    show(client, old, 1);
    const Swapchain swapchain = client.swapchain({.mode = fifo, .old = old});
    show(client, swapchain, 1);
    EXPECT_EQ(compositor.commits(), 2u);
    vkDeviceWaitIdle(client.device);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO

TEST_F(PresentModes, MailboxWaitsForTheBarrierOfTheLastFrameOfFifo) {
    Client client(start({.globals = {.fifo = 1}}));
    const auto commits = change(client, fifo, mailbox);
    EXPECT_TRUE(commits[0].fifo_wait_barrier);
    EXPECT_FALSE(commits[0].fifo_set_barrier);
    EXPECT_FALSE(commits[1].fifo_wait_barrier);
    EXPECT_FALSE(commits[1].fifo_set_barrier);
}

TEST_F(PresentModes, FifoSetsBarriersAfterMailbox) {
    Client client(start({.globals = {.fifo = 1}}));
    for (const Commit& commit : change(client, mailbox, fifo)) {
        EXPECT_TRUE(commit.fifo_wait_barrier);
        EXPECT_TRUE(commit.fifo_set_barrier);
    }
}

// A frame is applied as soon as it is ready, and the next frame of FIFO waits for the last.
TEST_F(PresentModes, FramesOfFifoLatestReadySetTheBarrierAndDoNotWait) {
    Client client(start({.globals = {.fifo = 1}}));
    EXPECT_EQ(offered(client), (std::vector{fifo, mailbox, latest_ready}));
    for (const Commit& commit : change(client, mailbox, latest_ready)) {
        EXPECT_FALSE(commit.fifo_wait_barrier);
        EXPECT_TRUE(commit.fifo_set_barrier);
    }
}

TEST_F(PresentModes, FifoLatestReadyNeedsFifoV1) {
    Client client(start());
    EXPECT_EQ(offered(client), (std::vector{fifo, mailbox}));
    EXPECT_EQ(client.swapchain({.mode = latest_ready, .min_images = 3}).result,
              VK_ERROR_INITIALIZATION_FAILED);
}

#endif
#if defined(FAKE_COMPOSITOR_HAS_TEARING) && defined(FAKE_COMPOSITOR_HAS_FIFO)

TEST_F(PresentModes, FifoRelaxedNeedsFifoV1AsWell) {
    Client client(start({.globals = {.fifo = 1, .tearing = 1}}));
    EXPECT_EQ(offered(client), (std::vector{fifo, mailbox, immediate, relaxed, latest_ready}));
    EXPECT_EQ(client.swapchain({.mode = relaxed, .min_images = 2}).images.size(), 2u);
}

TEST_F(PresentModes, FramesOfFifoRelaxedHaveBarriersAndMayTear) {
    Client client(start({.globals = {.fifo = 1, .tearing = 1}}));
    for (const Commit& commit : change(client, fifo, relaxed)) {
        EXPECT_TRUE(commit.fifo_wait_barrier);
        EXPECT_TRUE(commit.fifo_set_barrier);
        EXPECT_TRUE(commit.may_tear);
    }
}

TEST_F(PresentModes, ImmediateWaitsForTheBarrierOfTheLastFrameOfFifoRelaxed) {
    Client client(start({.globals = {.fifo = 1, .tearing = 1}}));
    const auto commits = change(client, relaxed, immediate);
    EXPECT_TRUE(commits[0].fifo_wait_barrier);
    EXPECT_FALSE(commits[1].fifo_wait_barrier);
    for (const Commit& commit : commits) {
        EXPECT_FALSE(commit.fifo_set_barrier);
        EXPECT_TRUE(commit.may_tear);
    }
}

TEST_F(PresentModes, FifoAfterFifoRelaxedDoesNotTear) {
    Client client(start({.globals = {.fifo = 1, .tearing = 1}}));
    for (const Commit& commit : change(client, relaxed, fifo)) {
        EXPECT_TRUE(commit.fifo_wait_barrier);
        EXPECT_FALSE(commit.may_tear);
    }
}

#endif

// --- all requests of a frame ---

struct FrameCase {
    const char* name;
    Globals globals;
    VkPresentModeKHR mode;
    std::vector<std::string> requests; // of the third frame, which requests no callback but for
                                       // FIFO without fifo-v1
};

class FrameRequests : public PresentModes, public testing::WithParamInterface<FrameCase> {};

TEST_P(FrameRequests, AFrameMakesTheseRequestsAndNoOthers) {
    Compositor& compositor = start({.globals = GetParam().globals});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain({.mode = GetParam().mode});
    show(client, swapchain, 2);
    const size_t before =
        compositor.on_thread([](Scene& scene) { return scene.requests().size(); });
    show(client, swapchain, 1);
    const auto requests = compositor.on_thread([=](Scene& scene) {
        std::vector<std::string> names;
        for (size_t i = before; i < scene.requests().size(); ++i)
            names.push_back(scene.requests()[i].interface + "." + scene.requests()[i].name);
        return names;
    });
    EXPECT_EQ(requests, GetParam().requests);
    vkDeviceWaitIdle(client.device);
}

const std::vector<std::string> unpaced{"wl_surface.attach", "wl_surface.damage_buffer",
                                       "wl_surface.commit"};
const std::vector<std::string> by_callback{"wl_surface.attach", "wl_surface.damage_buffer",
                                           "wl_surface.frame", "wl_surface.commit"};

INSTANTIATE_TEST_SUITE_P(, FrameRequests,
                         testing::Values(FrameCase{"Fifo", {}, fifo, by_callback},
                                         FrameCase{"Mailbox", {}, mailbox, unpaced}),
                         [](auto& tested) { return std::string(tested.param.name); });

#if defined(FAKE_COMPOSITOR_HAS_TEARING) && defined(FAKE_COMPOSITOR_HAS_FIFO)

const std::vector<std::string> by_barrier{"wl_surface.attach", "wl_surface.damage_buffer",
                                          "wp_fifo_v1.wait_barrier", "wp_fifo_v1.set_barrier",
                                          "wl_surface.commit"};
constexpr Globals both{.fifo = 1, .tearing = 1};

INSTANTIATE_TEST_SUITE_P(WithBothProtocols, FrameRequests,
                         testing::Values(FrameCase{"Fifo", both, fifo, by_barrier},
                                         FrameCase{"FifoRelaxed", both, relaxed, by_barrier},
                                         FrameCase{"Mailbox", both, mailbox, unpaced},
                                         FrameCase{"Immediate", both, immediate, unpaced}),
                         [](auto& tested) { return std::string(tested.param.name); });

#endif

} // namespace
} // namespace fencebridge::test
