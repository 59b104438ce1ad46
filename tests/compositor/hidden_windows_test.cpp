// SPDX-License-Identifier: MIT
// How long vkQueuePresentKHR waits for hidden windows, which receive no frame callbacks. The tests
// skip a wait that nothing ends, and advance the clock by its timeout.
#include "fixture.hpp"
#include "skipped_waits.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace fencebridge::test {
namespace {

using namespace std::chrono_literals;

class HiddenWindows : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        skipping_.emplace();
    }
    void TearDown() override {
        skipping_.reset();
        CompositorTest::TearDown();
    }
    static std::chrono::nanoseconds skipped() { return std::chrono::nanoseconds(skipped_ns); }

    // Presents frames to one window. Returns how long that took, by the clock that waits advance.
    std::chrono::nanoseconds time_of(Client& client, const Swapchain& swapchain, int frames) {
        const auto start = std::chrono::steady_clock::now();
        for (int frame = 0; frame < frames; ++frame) {
            EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
            compositor_->settle(); // its answers have arrived
        }
        return std::chrono::steady_clock::now() - start;
    }
    // Presents frames until one has waited. Returns how long it waited.
    std::chrono::nanoseconds first_wait(Client& client, const Swapchain& swapchain) {
        const auto before = skipped();
        for (int frame = 0; frame < 100 && skipped() == before; ++frame)
            time_of(client, swapchain, 1);
        return skipped() - before;
    }

    // Presents to both in this order, after the compositor has answered the frames before: neither
    // acquire has to wait.
    VkResult present_both(Client& client, const Swapchain& one, const Swapchain& other) {
        compositor_->settle();
        Presented both[] = {{one, client.acquire(one).index}, {other, client.acquire(other).index}};
        return present_together(client.device.queue, both);
    }

    // Windows are numbered in the order of their creation.
    void hide(uint32_t window, bool hidden = true) {
        compositor_->on_thread([=](Scene& scene) { scene.set_hidden(SurfaceId(window), hidden); });
    }
    size_t commits_of(uint32_t window) {
        return compositor_->on_thread(
            [=](Scene& scene) { return scene.commits_of(SurfaceId(window)); });
    }

private:
    std::optional<SkippedWaits> skipping_;
};

constexpr SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};

// The length of a refresh as long as the layer has not measured any.
constexpr std::chrono::nanoseconds usual_refresh = 16'667us;

struct SecondFifoWindow : SecondWindow {
    explicit SecondFifoWindow(Client& client) :
        SecondWindow(client), swapchain(client.device, surface, fifo) {}

    Swapchain swapchain;
};

TEST_F(HiddenWindows, TwoHiddenWindowsOfOneCallWaitConcurrentlyForAtMostOneSecond) {
    start();
    Client client(*compositor_);
    Swapchain first = client.swapchain(fifo);
    SecondFifoWindow other(client);
    hide(0);
    hide(1);
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    // From here on, the two windows' waits of one second end at different times.
    skipped_ns += std::chrono::nanoseconds(600ms).count();
    ASSERT_EQ(client.present(first, client.acquire(first).index), VK_SUCCESS);
    for (int call = 0; call < 3; ++call) {
        auto before = skipped();
        ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
        EXPECT_LE(skipped() - before, 1s);
    }
    EXPECT_EQ(commits_of(0), 5u);
    EXPECT_EQ(commits_of(1), 4u);
    // Both are known to be hidden now.
    const auto before = skipped();
    for (int call = 0; call < 20; ++call)
        ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    EXPECT_LE(skipped() - before, 20 * usual_refresh);
}

// The parameter: whether the compositor has fifo-v1. Then it clears the barriers of a hidden window
// at once. The protocol does not say when a compositor clears them.
class HiddenFifo : public HiddenWindows, public testing::WithParamInterface<bool> {
protected:
    Compositor& start(uint32_t refresh_ms = 0) {
        Script script{.refresh_ms = refresh_ms};
        script.globals.fifo = GetParam() ? 1 : 0;
        return HiddenWindows::start(std::move(script));
    }
};

TEST_P(HiddenFifo, TheFirstWaitLastsASecondAndEachFurtherOneOneRefresh) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(fifo);
    time_of(client, swapchain, 1);
    hide(0);
    const auto first = first_wait(client, swapchain);
    EXPECT_GT(first, 800ms);
    EXPECT_LE(first, 1200ms);

    const size_t commits = compositor.commits();
    const size_t requested = compositor.requests("wl_surface", "frame");
    const auto before = skipped();
    EXPECT_GE(time_of(client, swapchain, 99), 98 * usual_refresh);
    EXPECT_LE(skipped() - before, 99 * usual_refresh);
    EXPECT_EQ(compositor.commits(), commits + 99);
    // The frames may replace each other, and no callbacks pile up in the compositor.
    EXPECT_FALSE(compositor.last_commit().fifo_wait_barrier);
    EXPECT_LE(compositor.requests("wl_surface", "frame"), requested + 2);
}

TEST_P(HiddenFifo, AWindowThatIsVisibleAgainIsPresentedAsAtFirst) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(fifo);
    hide(0);
    first_wait(client, swapchain);
    time_of(client, swapchain, 20);
    hide(0, false);
    compositor.refresh();
    const auto before = skipped();
    time_of(client, swapchain, 50);
    EXPECT_EQ(skipped(), before);
    EXPECT_EQ(compositor.last_commit().fifo_wait_barrier, GetParam());
    EXPECT_EQ(compositor.last_commit().fifo_set_barrier, GetParam());
}

// The last barrier of the hidden window would hold back the other mode's commits.
TEST_P(HiddenFifo, AnotherModeDoesNotWaitForABarrier) {
    Compositor& compositor = start();
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(fifo);
    time_of(client, swapchain, 1);
    hide(0);
    first_wait(client, swapchain);
    time_of(client, swapchain, 1);
    EXPECT_EQ(compositor.last_commit().fifo_set_barrier, GetParam());
    const Swapchain other =
        client.swapchain({.mode = VK_PRESENT_MODE_MAILBOX_KHR, .old = swapchain});
    const auto before = skipped();
    time_of(client, other, 1);
    EXPECT_FALSE(compositor.last_commit().fifo_wait_barrier);
    EXPECT_LE(skipped() - before, usual_refresh);
}

TEST_P(HiddenFifo, ARefreshIsAsLongAsTheCompositorsFrameCallbacksSay) {
    constexpr int refresh_ms = 7;
    Compositor& compositor = start(refresh_ms);
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(fifo);
    compositor.on_thread([](Scene& scene) { scene.set_refresh(Refresh::manual); });
    // FIFO without fifo-v1 has to wait for the refresh after each frame.
    for (int frame = 0; frame < 40; ++frame) {
        time_of(client, swapchain, 1);
        compositor.refresh();
        compositor.settle();
    }
    EXPECT_EQ(skipped(), 0ns);
    compositor.on_thread([](Scene& scene) { scene.set_refresh(Refresh::at_once); });
    hide(0);
    first_wait(client, swapchain);
    const auto before = skipped();
    EXPECT_GE(time_of(client, swapchain, 20), 19 * refresh_ms * 1ms);
    EXPECT_LE(skipped() - before, 20 * refresh_ms * 1ms);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO
const auto with_and_without_fifo_v1 = testing::Bool();
#else
const auto with_and_without_fifo_v1 = testing::Values(false);
#endif
INSTANTIATE_TEST_SUITE_P(, HiddenFifo, with_and_without_fifo_v1,
                         [](auto& tested) { return tested.param ? "FifoV1" : "FrameCallbacks"; });

TEST_F(HiddenWindows, AHiddenWindowDoesNotDelayAVisibleOneOfTheSameCall) {
    start();
    Client client(*compositor_);
    Swapchain first = client.swapchain(fifo);
    SecondFifoWindow other(client);
    hide(0);
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    // A window counts as hidden when a second has passed without a frame callback.
    size_t others = 0;
    before_skipping = [&] { others = commits_of(1); };
    waits = 0;
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    EXPECT_EQ(waits, 1u);
    EXPECT_EQ(others, 2u);
    // From then on the call waits only for the visible window.
    for (int call = 0; call < 10; ++call)
        ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    EXPECT_EQ(waits, 1u);
    EXPECT_EQ(commits_of(0), 12u);
    EXPECT_EQ(commits_of(1), 12u);
}

TEST_F(HiddenWindows, AWindowKnownToBeHiddenDoesNotDelayAVisibleOneThatWaitsForARefresh) {
    start({.refresh = Refresh::manual, .release = Release::at_once});
    Client client(*compositor_);
    Swapchain first = client.swapchain(fifo);
    SecondFifoWindow other(client);
    hide(0);
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    compositor_->refresh();
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    // The skipped wait for the hidden window has used up most of the second that the visible window
    // has for its frame callback. Another frame of the visible window requests a new callback.
    compositor_->refresh();
    compositor_->settle();
    ASSERT_EQ(client.present(other.swapchain, client.acquire(other.swapchain).index), VK_SUCCESS);
    // The visible window waits for the refresh, which happens when its wait begins. The hidden
    // window waits neither before nor after that.
    before_skipping = [&] { compositor_->refresh(); };
    waits = 0;
    ASSERT_EQ(present_both(client, first, other.swapchain), VK_SUCCESS);
    EXPECT_EQ(waits, 1u);
    EXPECT_EQ(commits_of(0), 3u);
    EXPECT_EQ(commits_of(1), 4u);
}

#ifdef FAKE_COMPOSITOR_HAS_FIFO

class FifoBarriers : public HiddenWindows {};

// This compositor clears the barrier of a hidden window once a second.
TEST_F(FifoBarriers, AHiddenWindowDoesNotWaitForBarriersOnceItIsKnownToBeHidden) {
    Compositor& compositor = start({.globals = {.fifo = 1}, .refresh = Refresh::manual});
    Client client(compositor);
    const Swapchain swapchain = client.swapchain(fifo);
    hide(0);
    size_t seconds = 0;
    before_endless_wait = [&] {
        ++seconds;
        skipped_ns += std::chrono::nanoseconds(1s).count();
        compositor.refresh();
    };
    time_of(client, swapchain, 5);
    EXPECT_GE(seconds, 1u);
    EXPECT_FALSE(compositor.last_commit().fifo_wait_barrier);
    seconds = 0;
    const auto before = skipped();
    EXPECT_GE(time_of(client, swapchain, 100), 99 * usual_refresh);
    EXPECT_LE(skipped() - before, 100 * usual_refresh);
    EXPECT_EQ(seconds, 0u);
    vkDeviceWaitIdle(client.device);
}

TEST_F(FifoBarriers, AHiddenWindowKeepsItsPaceInANewSwapchain) {
    start({.globals = {.fifo = 1}});
    Client client(*compositor_);
    Swapchain old = client.swapchain(fifo);
    hide(0);
    for (size_t frame = 0; frame < 1 + old.images.size(); ++frame)
        ASSERT_EQ(client.frame(old), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, 0);
    Swapchain swapchain = client.swapchain({.mode = fifo.mode, .old = old});
    auto before = skipped();
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_GT(skipped() - before, 800ms);
    vkDeviceWaitIdle(client.device);
}

// After a request for a callback, as many frames as there are images can be presented without a
// wait. The next frame needs an image that the compositor releases only after it has sent the
// callback.
TEST_F(FifoBarriers, AVisibleWindowDoesNotWaitForCallbacks) {
    skips = false;
    start({.globals = {.fifo = 1}, .refresh = Refresh::periodic});
    Client client(*compositor_);
    Swapchain swapchain = client.swapchain({.mode = fifo.mode, .min_images = 3});
    for (int frame = 0; frame < 100; ++frame) {
        uint32_t index = client.acquire(swapchain).index;
        waits = 0;
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        EXPECT_EQ(waits, 0u) << "frame " << frame;
    }
    compositor_->settle();
    EXPECT_LE(compositor_->requests("wl_surface", "frame"), 1u + 100 / 16);
}

#endif

} // namespace
} // namespace fencebridge::test
