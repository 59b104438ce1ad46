// SPDX-License-Identifier: MIT
// FIFO with two images: every frame is committed, and no call waits for more refreshes than FIFO
// demands. The test's compositor refreshes only when a call of the layer's has to wait, so the
// number of refreshes is the length of the wait.
#include "fake_module.hpp"
#include "fixture.hpp"

#include "fake_driver/control.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <string_view>

namespace fencebridge::test {
namespace {

constexpr size_t frames = 300;
// A call that is not ready after so many refreshes waits for something else.
constexpr int enough_refreshes = 5;

std::function<void()> refresh_instead; // of a wait; called on the test's thread

int poll_once(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    timespec left = timeout ? *timeout : timespec{};
    return int(syscall(SYS_ppoll, fds, count, timeout ? &left : nullptr, mask, 8));
}

int poll_or_refresh(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    const timespec none{};
    const bool waits = !timeout || timeout->tv_sec > 0 || timeout->tv_nsec > 0;
    for (int refreshes = 0; waits && refresh_instead && refreshes < enough_refreshes; ++refreshes) {
        if (const int ready = poll_once(fds, count, &none, mask); ready != 0)
            return ready;
        refresh_instead();
    }
    return poll_once(fds, count, timeout, mask);
}

// When the compositor releases an image.
enum class Releases {
    when_replaced,
    at_once,
    // When the next image has been on screen: a display reads an image until then.
    after_the_next_is_shown,
};

struct Case {
    std::string transport;
    bool fifo_v1;
    Releases releases;
    friend void PrintTo(const Case& tested, std::ostream* out) { *out << tested.transport; }
};

// The transport of the environment, on the real kernel; without it, those that a fake can stand
// for.
std::vector<std::string> transports() {
    const char* real = getenv("FENCEBRIDGE_SYNC");
    return real ? std::vector<std::string>{real}
                : std::vector<std::string>{"cpu", "kernel", "module"};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::string& transport : transports())
        for (Releases releases :
             {Releases::when_replaced, Releases::at_once, Releases::after_the_next_is_shown}) {
            all.push_back({transport, false, releases});
#ifdef FAKE_COMPOSITOR_HAS_FIFO
            all.push_back({transport, true, releases});
#endif
        }
    return all;
}

std::string name_of(const testing::TestParamInfo<Case>& tested) {
    constexpr const char* releases[] = {"WhenReplaced", "AtOnce", "AfterTheNextIsShown"};
    return tested.param.transport + (tested.param.fifo_v1 ? "FifoV1" : "") +
           releases[int(tested.param.releases)];
}

class TwoImages : public CompositorTest, public testing::WithParamInterface<Case> {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        if (getenv("FENCEBRIDGE_SYNC")) {
            fake_driver().set_memory(FAKE_DRIVER_MEMORY_UDMABUF);
            fake_driver().set_sync(FAKE_DRIVER_SYNC_SW_SYNC);
            return;
        }
        setenv("FENCEBRIDGE_SYNC", GetParam().transport.c_str(), 1);
        set_here_ = true;
        if (GetParam().transport != "cpu")
            module_.emplace();
        if (GetParam().transport == "kernel")
            module_->enable_dma_buf_ioctls();
    }
    void TearDown() override {
        refresh_instead = nullptr;
        module_.reset();
        if (set_here_)
            unsetenv("FENCEBRIDGE_SYNC");
        CompositorTest::TearDown();
    }

    void refresh_when_a_call_waits() {
        refresh_instead = [this] {
            ++refreshes_;
            compositor_->on_thread([this](Scene& scene) { refresh(scene); });
        };
    }
    void refresh(Scene& scene) {
        const auto shown = scene.current(SurfaceId(0));
        scene.refresh();
        if (GetParam().releases != Releases::after_the_next_is_shown)
            return;
        if (on_screen_ && on_screen_ != shown)
            scene.release(*on_screen_);
        on_screen_ = shown;
    }

    size_t refreshes_ = 0;

private:
    std::optional<FakeModule> module_;
    std::optional<BufferId> on_screen_;
    bool set_here_ = false;
};

TEST_P(TwoImages, NoCallOfAFifoFrameWaitsForMoreThanOneRefresh) {
    ErrorLog log;
    Script script{.refresh = Refresh::manual, .release = Release::when_replaced};
    script.globals.fifo = GetParam().fifo_v1 ? 1 : 0;
    script.globals.syncobj = GetParam().transport == "explicit" ? 1 : 0;
    if (GetParam().releases == Releases::at_once)
        script.release = Release::at_once;
    else if (GetParam().releases == Releases::after_the_next_is_shown)
        script.release = Release::manual;
    Client client(start(std::move(script)));
    const Swapchain swapchain =
        client.swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR, .min_images = 2});
    ASSERT_EQ(swapchain.images.size(), 2u);
    ASSERT_EQ(log.lines_with({"transport=" + GetParam().transport}).size(), 1u) << log.text();

    refresh_when_a_call_waits();
    for (size_t frame = 0; frame < frames; ++frame) {
        // Two frames are queued when the third image is acquired. The second of them is on screen
        // after two refreshes.
        const size_t queued = frame == 2 ? 2 : 1;
        size_t before = refreshes_;
        const auto [result, index] = client.acquire(swapchain);
        ASSERT_EQ(result, VK_SUCCESS);
        ASSERT_LE(refreshes_ - before, queued) << "acquire of frame " << frame;
        before = refreshes_;
        ASSERT_EQ(client.present(swapchain, index), VK_SUCCESS);
        ASSERT_LE(refreshes_ - before, 1u) << "present of frame " << frame;
        compositor_->settle(); // the events of this frame have arrived
    }
    EXPECT_EQ(compositor_->commits(), frames);
    // Each frame is shown for one refresh. At the end, the last ones are not: the compositor may
    // have a copy of one, and both images in its queue.
    EXPECT_GE(refreshes_, frames - 3);
    EXPECT_LE(refreshes_, frames);
    refresh_instead = nullptr;
    EXPECT_EQ(vkDeviceWaitIdle(client.device), VK_SUCCESS);
}

INSTANTIATE_TEST_SUITE_P(, TwoImages, testing::ValuesIn(cases()), name_of);

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before the C library's.
extern "C" [[gnu::visibility("default")]] int ppoll(pollfd* fds, nfds_t count,
                                                    const timespec* timeout, const sigset_t* mask) {
    return fencebridge::test::poll_or_refresh(fds, count, timeout, mask);
}
