// SPDX-License-Identifier: MIT
// A compositor without wp_presentation answers a frame callback one second after the commit. One
// thread runs the callback's handler while another thread gives the callback up.
#include "fixture.hpp"
#include "skipped_waits.hpp"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include <cstring>
#include <functional>
#include <thread>
#include <utility>

namespace {

// Called once, when this thread takes a lock in a handler of the layer's.
thread_local std::function<void()> in_handler;
thread_local bool dispatching = false;
std::atomic<bool> overwrites = false; // whether the layer's memory is overwritten when it is freed

bool is_the_layers(const void* caller) {
    Dl_info info;
    return dladdr(caller, &info) != 0 && info.dli_fname != nullptr &&
           std::strstr(info.dli_fname, "libVkLayer_FENCEBRIDGE") != nullptr;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

} // namespace

// The layer finds these functions before those of the libraries.
extern "C" {
void __libc_free(void* memory) noexcept;
void free(void* memory) noexcept {
    if (memory && overwrites && is_the_layers(__builtin_return_address(0)))
        std::memset(memory, 0xA5, malloc_usable_size(memory));
    __libc_free(memory);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    static auto* const lock = next<int(pthread_mutex_t*)>("pthread_mutex_lock");
    if (dispatching && in_handler && is_the_layers(__builtin_return_address(0)))
        std::exchange(in_handler, nullptr)();
    return lock(mutex);
}

[[gnu::visibility("default")]] int wl_display_dispatch_queue_pending(wl_display* display,
                                                                     wl_event_queue* queue) {
    static auto* const dispatch =
        next<int(wl_display*, wl_event_queue*)>("wl_display_dispatch_queue_pending");
    dispatching = true;
    const int dispatched = dispatch(display, queue);
    dispatching = false;
    return dispatched;
}
}

namespace fencebridge::test {
namespace {

class LateCallback : public CompositorTest {};

TEST_F(LateCallback, AnotherThreadCanGiveUpARequestWhileItsHandlerRuns) {
    Client client(start({.refresh = Refresh::manual}).connect(), {},
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_EXTENSION_NAME,
                   VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    const auto wait_for_present = reinterpret_cast<PFN_vkWaitForPresentKHR>(
        vkGetDeviceProcAddr(client.device, "vkWaitForPresentKHR"));
    const auto wait = [&](uint64_t id) {
        return wait_for_present(client.device, swapchain, id, 0);
    };

    const uint64_t id = 1;
    const VkPresentIdKHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                             .pNext = nullptr,
                             .swapchainCount = 1,
                             .pPresentIds = &id};
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    ASSERT_EQ(present(client.device.queue, swapchain, index, {rendered}, &ids), VK_SUCCESS);
    vkDeviceWaitIdle(client.device);
    compositor_->settle();
    EXPECT_EQ(wait(1), VK_TIMEOUT);

    compositor_->refresh();
    client.app.round_trip(); // reads the callback's event
    bool handled = false;
    in_handler = [&] {
        handled = true;
        skipped_ns += 1'000'000'000;
        overwrites = true;
        std::thread([&] { EXPECT_EQ(wait(1), VK_SUCCESS); }).join();
    };
    EXPECT_EQ(wait(1), VK_SUCCESS);
    overwrites = false;
    EXPECT_TRUE(handled);
    EXPECT_EQ(wait(2), VK_TIMEOUT) << "the handler has read freed memory";
}

} // namespace
} // namespace fencebridge::test
