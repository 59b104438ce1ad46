// SPDX-License-Identifier: MIT
// Images in shared memory (wl_shm), where two threads meet: two of the application's that make
// surfaces on one connection.
#include "channel.hpp"
#include "shared_memory.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
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

} // namespace
} // namespace fencebridge::test

// The layer finds this definition before that of the library.
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

} // extern "C"
