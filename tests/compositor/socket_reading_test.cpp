// SPDX-License-Identifier: MIT
// What the layer causes to be sent is read, at a bounded cost, also in an application that reads
// nothing itself.
#include "fixture.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

// Calls of ppoll() on one descriptor. `cpu` polls dma-bufs as well.
std::atomic<int> counted_fd = -1;
std::atomic<size_t> polls = 0;

constexpr uint32_t many_images = 64;
constexpr size_t acquires_to_a_look = 16;

class SocketReading : public CompositorTest {
protected:
    // Acquires so many images that are free, none of which is presented.
    static void acquire_idle(Client& client, const Swapchain& swapchain, size_t count) {
        for (size_t i = 0; i < count; ++i)
            ASSERT_EQ(client.acquire(swapchain, 0).result, VK_SUCCESS);
    }
    static int unread(App& app) {
        int bytes = 0;
        EXPECT_EQ(ioctl(wl_display_get_fd(app.display()), FIONREAD, &bytes), 0);
        return bytes;
    }
};

// A loading screen: one thread draws, and the one with the event loop only dispatches.
TEST_F(SocketReading, AcquireReadsTheEventsOfAnApplicationThatOnlyDispatches) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.min_images = many_images});
    bool answered = false;
    const wl_callback_listener listener = {
        [](void* data, wl_callback*, uint32_t) { *static_cast<bool*>(data) = true; }};
    Owned<wl_callback*> callback(wl_display_sync(client.app.display()), wl_callback_destroy);
    wl_callback_add_listener(callback, &listener, &answered);
    wl_display_flush(client.app.display());
    compositor.settle();
    acquire_idle(client, swapchain, 2 * acquires_to_a_look);
    EXPECT_EQ(unread(client.app), 0);
    EXPECT_EQ(wl_display_dispatch_pending(client.app.display()), 1);
    EXPECT_TRUE(answered);
}

TEST_F(SocketReading, OneAcquireIn16PollsTheSocket) {
    Client client(start());
    Swapchain swapchain = client.swapchain({.min_images = many_images});
    ASSERT_GE(swapchain.images.size(), size_t(many_images));
    polls = 0;
    counted_fd = wl_display_get_fd(client.app.display());
    acquire_idle(client, swapchain, many_images);
    counted_fd = -1;
    EXPECT_GE(polls, 1u);
    EXPECT_LE(polls, many_images / acquires_to_a_look);
}

// A thread that has prepared to read, and whose poll() the answer wakes, is waited for and no more.
TEST_F(SocketReading, AcquireReadsTogetherWithAThreadThatPreparedToRead) {
    Compositor& compositor = start();
    Client client(compositor);
    Swapchain swapchain = client.swapchain({.min_images = many_images});
    wl_display* display = client.app.display();
    std::atomic<bool> prepared = false;
    std::thread reader([&] {
        while (wl_display_prepare_read(display) != 0)
            wl_display_dispatch_pending(display);
        prepared = true;
        pollfd socket{wl_display_get_fd(display), POLLIN, 0};
        EXPECT_EQ(poll(&socket, 1, -1), 1);
        EXPECT_EQ(wl_display_read_events(display), 0);
    });
    while (!prepared)
        std::this_thread::yield();
    acquire_idle(client, swapchain, acquires_to_a_look); // nothing has come
    compositor.on_thread([](Scene& scene) { scene.set_feedback(linear_feedback()); });
    acquire_idle(client, swapchain, 2 * acquires_to_a_look);
    reader.join();
    EXPECT_EQ(unread(client.app), 0);
}

} // namespace
} // namespace fencebridge::test

// Before the C library's, for the layer as well. By another name here: the C library's declaration
// says that the descriptors are not read.
extern "C" [[gnu::visibility("default")]] int counted_ppoll(pollfd* polled, nfds_t count,
                                                            const timespec* timeout,
                                                            const sigset_t* mask) asm("ppoll");
extern "C" int counted_ppoll(pollfd* polled, nfds_t count, const timespec* timeout,
                             const sigset_t* mask) {
    if (count > 0 && polled->fd == fencebridge::test::counted_fd)
        ++fencebridge::test::polls;
    timespec left = timeout ? *timeout : timespec{};
    return int(syscall(SYS_ppoll, polled, count, timeout ? &left : nullptr, mask, _NSIG / 8));
}
