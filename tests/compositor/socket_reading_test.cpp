// SPDX-License-Identifier: MIT
// The layer reads the events that its requests cause, at a bounded cost, even if the application
// does not read the socket.
#include "fixture.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

// The number of ppoll() calls on one descriptor. The transport `cpu` also polls dma-bufs.
std::atomic<int> counted_fd = -1;
std::atomic<size_t> polls = 0;

constexpr uint32_t many_images = 64;
constexpr size_t acquires_per_poll = 16;

class SocketReading : public CompositorTest {
protected:
    // Acquires this many free images, and presents none of them.
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

// This is how a loading screen may work: one thread draws, and the thread with the event loop only
// dispatches.
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
    acquire_idle(client, swapchain, 2 * acquires_per_poll);
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
    EXPECT_LE(polls, many_images / acquires_per_poll);
}

// The application's thread has prepared to read and waits in poll(). The events wake it, it reads,
// and the acquire goes on.
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
    acquire_idle(client, swapchain, acquires_per_poll); // no event has arrived yet
    compositor.on_thread([](Scene& scene) { scene.set_feedback(linear_feedback()); });
    acquire_idle(client, swapchain, 2 * acquires_per_poll);
    reader.join();
    EXPECT_EQ(unread(client.app), 0);
}

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before the C library's. It has another name in C++: the C library
// declares ppoll() with an attribute by which ppoll() only writes to the array of pollfd, and this
// definition reads it.
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
