// SPDX-License-Identifier: MIT
// How long vkQueuePresentKHR waits for hidden windows, which receive no frame callbacks. The tests
// skip a wait that nothing ends, and advance the clock by its timeout.
#include "fixture.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

namespace fencebridge::test {
namespace {

using namespace std::chrono_literals;

// What ppoll() and clock_gettime() below do. Constant-initialised, because clock_gettime() is
// called before any constructor runs.
constinit std::atomic<bool> skips = false; // whether waits are skipped
constinit std::atomic<int64_t> skipped_ns = 0;
constinit std::atomic<size_t> waits = 0; // how many ppoll() calls could not return at once
std::function<void()> before_skipping;

int wait_or_skip(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    const auto poll_for = [&](const timespec* most) {
        timespec left = most ? *most : timespec{};
        return int(syscall(SYS_ppoll, fds, count, most ? &left : nullptr, mask, 8));
    };
    const timespec none{};
    const int ready = poll_for(&none);
    if (ready != 0 || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0))
        return ready;
    ++waits;
    if (!skips || !timeout)
        return poll_for(timeout);
    if (before_skipping)
        before_skipping();
    skipped_ns +=
        std::chrono::nanoseconds(std::chrono::seconds(timeout->tv_sec)).count() + timeout->tv_nsec;
    return 0;
}

class HiddenWindows : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        waits = 0;
        // Time that an earlier test skipped would make the compositor's timers expire too late:
        // libwayland sets them by this process's clock, and the kernel does not know that time.
        skipped_ns = 0;
        skips = true;
    }
    void TearDown() override {
        skips = false;
        before_skipping = nullptr;
        CompositorTest::TearDown();
    }
    static std::chrono::nanoseconds skipped() { return std::chrono::nanoseconds(skipped_ns); }

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
};

constexpr SwapchainOptions fifo = {.mode = VK_PRESENT_MODE_FIFO_KHR};

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
}

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

// The protocol does not say when a compositor clears the fifo barrier of a hidden window. This
// compositor clears it at once.
TEST_F(FifoBarriers, AHiddenWindowIsCommittedOnceASecond) {
    start({.globals = {.fifo = 1}});
    Client client(*compositor_);
    Swapchain swapchain = client.swapchain(fifo);
    ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    hide(0);
    // One frame in 16 requests a frame callback. As many frames as there are images may follow it
    // without a wait.
    for (size_t frame = 0; frame < 16 + swapchain.images.size(); ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    for (int frame = 0; frame < 5; ++frame) {
        auto before = skipped();
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
        EXPECT_GT(skipped() - before, 800ms);
        EXPECT_LE(skipped() - before, 1200ms);
    }
    hide(0, false);
    compositor_->refresh();
    auto before = skipped();
    for (int frame = 0; frame < 50; ++frame)
        ASSERT_EQ(client.frame(swapchain), VK_SUCCESS);
    EXPECT_EQ(skipped(), before);
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

// The layer finds these definitions before the C library's.
extern "C" [[gnu::visibility("default")]] int ppoll(pollfd* fds, nfds_t count,
                                                    const timespec* timeout, const sigset_t* mask) {
    return fencebridge::test::wait_or_skip(fds, count, timeout, mask);
}

extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock,
                                                            timespec* now) noexcept {
    const int result = int(syscall(SYS_clock_gettime, clock, now));
    if (result != 0 || clock != CLOCK_MONOTONIC)
        return result;
    const int64_t ns = now->tv_nsec + fencebridge::test::skipped_ns;
    now->tv_sec += ns / 1'000'000'000;
    now->tv_nsec = long(ns % 1'000'000'000);
    return 0;
}
