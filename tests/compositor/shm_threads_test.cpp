// SPDX-License-Identifier: MIT
// Images in shared memory (wl_shm), where two threads meet: two of the application's that make
// surfaces on one connection, and the one that presents with the layer's own.
#include "channel.hpp"
#include "shared_memory.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstring>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace fencebridge::test {
namespace {

bool is_of_layer(const void* caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && std::strstr(info.dli_fname, "VkLayer_FENCEBRIDGE");
}

// Stops a thread in vkCreateWaylandSurfaceKHR before the handlers run that describe the globals: it
// then dispatches the queue of the globals again, after that of the surface's feedback.
class StopBeforeDescription {
public:
    // Of wl_display_dispatch_queue_pending().
    void before_dispatch(wl_event_queue* queue) {
        if (globals_ == nullptr)
            globals_ = queue;
        other_seen_ = other_seen_ || queue != globals_;
        if (!other_seen_ || queue != globals_ || std::exchange(stopped_, true))
            return;
        is_there_.put(true);
        goes_on_.take();
    }
    void wait_until_there() { is_there_.take(); }
    void go_on() { goes_on_.put(true); }

private:
    wl_event_queue* globals_ = nullptr;
    bool other_seen_ = false;
    bool stopped_ = false;
    Channel<bool> is_there_;
    Channel<bool> goes_on_;
};
thread_local StopBeforeDescription* stop = nullptr;

// Called once, when the layer duplicates a descriptor on this thread.
thread_local std::function<void()> before_duplicate;

// If set, a ppoll() of the layer's thread waits for `failure`, and those after it fail as well.
std::atomic<bool> polls_fail = false;
Channel<bool> failure;
thread_local bool is_test_thread = false;
thread_local bool has_failed = false;

// The application's proxy of a wl_surface that has been destroyed, and how often the layer has made
// a request with it. Each request also asks the proxy for its version.
std::atomic<wl_proxy*> destroyed_surface = nullptr;
std::atomic<unsigned> requests_of_destroyed = 0;

using SharedMemoryThreads = SharedMemoryTest;

// The events of wl_shm are handled by the thread that dispatches the queue of the globals. No other
// thread may read the list of formats meanwhile.
TEST_F(SharedMemoryThreads, ASurfaceThatIsMadeWhileAnotherOneIsHasAllFormats) {
    Client client(start());
    StopBeforeDescription description;
    std::optional<SecondWindow> first;
    std::thread making([&] {
        stop = &description;
        first.emplace(client);
    });
    description.wait_until_there();
    auto other = std::async(std::launch::async, [&] {
        const SecondWindow second(client);
        uint32_t count = 0;
        vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, second.surface, &count,
                                             nullptr);
        std::vector<VkSurfaceFormatKHR> formats(count);
        vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical, second.surface, &count,
                                             formats.data());
        return formats;
    });
    EXPECT_EQ(other.wait_for(short_while), std::future_status::timeout);
    description.go_on();
    making.join();
    EXPECT_TRUE(std::ranges::any_of(other.get(), [](const VkSurfaceFormatKHR& each) {
        return each.format == VK_FORMAT_B8G8R8A8_UNORM;
    }));
}

// The image before it is found not to be showable while vkQueuePresentKHR is running.
TEST_F(SharedMemoryThreads, APresentDuringTheFailureOfTheOneBeforeFails) {
    is_test_thread = true;
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    polls_fail = true;
    const Owned<VkSemaphore> rendered[] = {make_semaphore(client.device),
                                           make_semaphore(client.device)};
    show(client, swapchain, rendered[0]);
    const uint32_t index = client.acquire_and_render(swapchain, rendered[1]);
    before_duplicate = [&] {
        failure.put(true);
        VkResult acquired = VK_SUCCESS;
        while (acquired == VK_SUCCESS) // waits when no image is free
            acquired = client.acquire(swapchain).result;
        EXPECT_EQ(acquired, VK_ERROR_DEVICE_LOST);
    };
    EXPECT_EQ(client.present_after(swapchain, index, {rendered[1]}), VK_ERROR_DEVICE_LOST);
    EXPECT_FALSE(before_duplicate);
    polls_fail = false;
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
    compositor_->settle();
    EXPECT_EQ(compositor_->commits(), 0u);
}

// Sends the request of wl_surface_destroy(). The memory of the proxy stays, so that no other proxy
// gets its address.
void destroy_surface(wl_surface* surface) {
    auto* const proxy = reinterpret_cast<wl_proxy*>(surface);
    destroyed_surface = proxy;
    wl_proxy_marshal_flags(proxy, WL_SURFACE_DESTROY, nullptr, wl_proxy_get_version(proxy), 0);
}

// Invalid usage, which a driver's own swapchains tolerate: they commit in vkQueuePresentKHR alone.
TEST_F(SharedMemoryThreads, AWlSurfaceThatIsDestroyedBeforeTheCommitIsAProtocolError) {
    Client client(start());
    Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    show(client, swapchain, rendered);
    destroy_surface(client.window);
    EXPECT_TRUE(finish_rendering());
    while (wl_display_dispatch(client.app.display()) >= 0)
        ; // until the error arrives
    const wl_interface* interface = nullptr;
    EXPECT_EQ(wl_display_get_protocol_error(client.app.display(), &interface, nullptr),
              uint32_t(WL_DISPLAY_ERROR_INVALID_OBJECT));
    EXPECT_EQ(interface, &wl_display_interface);
    swapchain = {};
    EXPECT_EQ(requests_of_destroyed, 0u) << "the application has freed its proxy";
    destroyed_surface = nullptr;
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

} // namespace
} // namespace fencebridge::test

// The layer finds these definitions before those of the libraries. For the other names, see
// socket_reading_test.
extern "C" {

[[gnu::visibility("default")]] int wl_display_dispatch_queue_pending(wl_display* display,
                                                                     wl_event_queue* queue) {
    using namespace fencebridge::test;
    if (stop != nullptr && is_of_layer(__builtin_return_address(0)))
        stop->before_dispatch(queue);
    static const auto next = reinterpret_cast<decltype(&wl_display_dispatch_queue_pending)>(
        dlsym(RTLD_NEXT, "wl_display_dispatch_queue_pending"));
    return next(display, queue);
}

[[gnu::visibility("default")]] uint32_t wl_proxy_get_version(wl_proxy* proxy) {
    using namespace fencebridge::test;
    if (proxy == destroyed_surface && is_of_layer(__builtin_return_address(0)))
        ++requests_of_destroyed;
    static const auto next =
        reinterpret_cast<decltype(&wl_proxy_get_version)>(dlsym(RTLD_NEXT, "wl_proxy_get_version"));
    return next(proxy);
}

[[gnu::visibility("default")]] int failing_ppoll(pollfd* polled, nfds_t count,
                                                 const timespec* timeout,
                                                 const sigset_t* mask) asm("ppoll");
int failing_ppoll(pollfd* polled, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    using namespace fencebridge::test;
    if (polls_fail && !is_test_thread && is_of_layer(__builtin_return_address(0))) {
        if (!std::exchange(has_failed, true))
            failure.take();
        errno = ENOMEM;
        return -1;
    }
    timespec left = timeout ? *timeout : timespec{};
    return int(syscall(SYS_ppoll, polled, count, timeout ? &left : nullptr, mask, _NSIG / 8));
}

// The layer calls one of the two, as it was built with or without _FILE_OFFSET_BITS=64.
[[gnu::visibility("default")]] int noticed_fcntl(int fd, int command, ...) asm("fcntl");
int noticed_fcntl(int fd, int command, ...) {
    using namespace fencebridge::test;
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    if (before_duplicate && command == F_DUPFD_CLOEXEC && is_of_layer(__builtin_return_address(0)))
        std::exchange(before_duplicate, nullptr)();
    return int(syscall(SYS_fcntl, fd, command, argument));
}
[[gnu::visibility("default")]] int noticed_fcntl64(int fd, int command, ...) asm("fcntl64")
    __attribute__((alias("fcntl")));

} // extern "C"
