// SPDX-License-Identifier: MIT
// Invariant 7: every allocation that the layer makes in the calls below fails once, one after the
// other. The call returns VK_ERROR_OUT_OF_HOST_MEMORY or succeeds without what it could not
// allocate, and the same call succeeds once memory is back. The same for the proxies and queues
// that libwayland allocates for the layer.
#include "everything.hpp"
#include "fake_module.hpp"
#include "shared_memory.hpp"

#include "fake_driver/control.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace {

constexpr const char* layer = "libVkLayer_FENCEBRIDGE";
constexpr const char* libwayland = "libwayland-client";

// How many more allocations of the library succeed on this thread before one fails; negative: none
// fails.
thread_local long until_failure = -1;
thread_local const char* failing = layer;
thread_local bool failed = false;

// If set, each ppoll() of a thread of the layer's fails, and its next allocation after that.
std::atomic<bool> polls_fail = false;
thread_local bool is_test_thread = false;

bool fails(const char* library, const void* caller) {
    Dl_info info;
    if (until_failure < 0 || failing != library || dladdr(caller, &info) == 0 ||
        info.dli_fname == nullptr || std::strstr(info.dli_fname, library) == nullptr ||
        until_failure-- != 0)
        return false;
    failed = true;
    return true;
}

} // namespace

// The libraries find these functions before those of the C library. The layer's operator new is in
// the layer's own library, so the caller's address shows that an allocation is the layer's.
// libwayland allocates queues and proxies by calloc(), and requests by malloc(). Some versions end
// the process if a request cannot be allocated.
extern "C" {
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* malloc(size_t size) noexcept {
    return fails(layer, __builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
    return fails(libwayland, __builtin_return_address(0)) ? nullptr : __libc_calloc(count, size);
}
// For the other name, see socket_reading_test.
[[gnu::visibility("default")]] int failing_ppoll(pollfd* polled, nfds_t count,
                                                 const timespec* timeout,
                                                 const sigset_t* mask) asm("ppoll");
int failing_ppoll(pollfd* polled, nfds_t count, const timespec* timeout, const sigset_t* mask) {
    Dl_info info;
    if (polls_fail && !is_test_thread && dladdr(__builtin_return_address(0), &info) != 0 &&
        std::strstr(info.dli_fname, layer) != nullptr) {
        until_failure = 0;
        errno = ENOMEM;
        return -1;
    }
    timespec left = timeout ? *timeout : timespec{};
    return int(syscall(SYS_ppoll, polled, count, timeout ? &left : nullptr, mask, _NSIG / 8));
}
}

namespace fencebridge::test {
namespace {

// Calls `call()` once for each allocation that the layer, or libwayland, makes in it, with that
// allocation failing, and afterwards `again()`, with memory back. The call may return VK_SUCCESS or
// `error`.
template <class Call, class Again>
void fail_each_allocation(Call&& call, Again&& again, const char* of = layer,
                          VkResult error = VK_ERROR_OUT_OF_HOST_MEMORY) {
    constexpr long many = 1000;
    long number = 0;
    for (; number < many; ++number) {
        SCOPED_TRACE("allocation " + std::to_string(number));
        failed = false;
        failing = of;
        until_failure = number;
        const VkResult result = call();
        until_failure = -1;
        if (!failed)
            break;
        EXPECT_TRUE(result == VK_ERROR_OUT_OF_HOST_MEMORY || result == error ||
                    result == VK_SUCCESS)
            << result;
        again();
        if (testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(number, 0) << "nothing is allocated, or by other means";
    EXPECT_LT(number, many);
}

class OutOfMemory : public CompositorTest {
protected:
    Compositor& start() {
        Script script;
        script.globals.syncobj = 1; // for FENCEBRIDGE_SYNC=explicit
        script.globals.color = 1;
        return CompositorTest::start(script);
    }
};

TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateInstance) {
    const InstanceOptions options;
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pNext = nullptr,
                                        .pApplicationName = nullptr,
                                        .applicationVersion = 0,
                                        .pEngineName = nullptr,
                                        .engineVersion = 0,
                                        .apiVersion = options.api_version};
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    info.enabledExtensionCount = uint32_t(options.extensions.size());
    info.ppEnabledExtensionNames = options.extensions.data();
    const auto create = [&] {
        VkInstance instance = VK_NULL_HANDLE;
        const VkResult result = vkCreateInstance(&info, nullptr, &instance);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroyInstance(instance, nullptr);
        return result;
    };
    EXPECT_EQ(create(), VK_SUCCESS);
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

class LayersThreadOutOfMemory : public SharedMemoryTest {};

// An exception must not end the layer's thread, and with it the process.
TEST_F(LayersThreadOutOfMemory, InAWaitForARendering) {
    is_test_thread = true;
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    ASSERT_EQ(swapchain.result, VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client.device);
    const uint32_t index = client.acquire_and_render(swapchain, rendered);
    polls_fail = true;
    EXPECT_EQ(client.present_after(swapchain, index, {rendered}), VK_SUCCESS);
    VkResult acquired = VK_SUCCESS;
    while (acquired == VK_SUCCESS) // waits when no image is free
        acquired = client.acquire(swapchain).result;
    EXPECT_EQ(acquired, VK_ERROR_DEVICE_LOST);
    polls_fail = false;
    fake_driver().hold_rendering(VK_FALSE);
    vkDeviceWaitIdle(client.device);
}

// A surface for which memory was short may be left to the driver. The log then says why.
TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateWaylandSurface) {
    App app(start());
    const auto window = app.new_surface();
    const auto instance = make_instance();
    VkWaylandSurfaceCreateInfoKHR info{};
    info.sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR;
    info.display = app.display();
    info.surface = window;
    const auto create = [&] {
        VkSurfaceKHR surface = VK_NULL_HANDLE;
        const VkResult result = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &surface);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroySurfaceKHR(instance, surface, nullptr);
        return result;
    };
    ErrorLog log;
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
    EXPECT_GE(log.lines_with({"driver's own swapchains for a surface: out of memory"}).size(), 1u);
    EXPECT_EQ(log.lines_with({"driver's own swapchains for a surface"}).size(),
              log.lines_with({"driver's own swapchains for a surface: out of memory"}).size())
        << log.text();
}

TEST_F(OutOfMemory, AtAnyAllocationOfVkCreateSwapchain) {
    Client client(start());
    EXPECT_EQ(client.swapchain().result, VK_SUCCESS);
    fail_each_allocation([&] { return client.swapchain().result; },
                         [&] { EXPECT_EQ(client.swapchain().result, VK_SUCCESS); });
}

TEST_F(OutOfMemory, AtAnyAllocationOfAFrame) {
    Client client(start());
    const Swapchain swapchain = client.swapchain();
    EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
    const auto acquire_and_present = [&] {
        const Acquired acquired = client.acquire(swapchain);
        if (acquired.result != VK_SUCCESS)
            return acquired.result;
        VkResult result = client.present(swapchain, acquired.index);
        until_failure = -1;
        // The image is still acquired: it is presented after all.
        if (result != VK_SUCCESS) {
            EXPECT_EQ(client.present(swapchain, acquired.index), VK_SUCCESS);
        }
        return result;
    };
    fail_each_allocation(acquire_and_present, [&] {
        EXPECT_EQ(acquire_and_present(), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
    });
}

// The same with everything that the layer provides.
class EverythingOutOfMemory : public OutOfMemory {
protected:
    void begin() {
        // So that each frame has a rendering fence.
        fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
        client_.emplace(CompositorTest::start(script_of_everything()).connect(),
                        options_of_everything(), extensions_of_everything());
        swapchain_.emplace(client_->device, client_->surface);
        ASSERT_EQ(swapchain_->result(), VK_SUCCESS);
        ASSERT_EQ(swapchain_->set_size(4), VK_SUCCESS);
        ASSERT_EQ(swapchain_->frame(client_->renderer), VK_SUCCESS);
        compositor_->settle();
        ASSERT_EQ(swapchain_->take_reports(), VK_SUCCESS);
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_.reset();
        client_.reset();
        OutOfMemory::TearDown();
    }

    std::optional<Client> client_;
    std::optional<EverythingSwapchain> swapchain_;
};

TEST_F(EverythingOutOfMemory, AtAnyAllocationOfVkCreateSwapchain) {
    begin();
    swapchain_.reset();
    const auto create = [&] {
        const EverythingSwapchain made(client_->device, client_->surface);
        until_failure = -1;
        return made.result();
    };
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

// vkQueuePresentKHR must not fail with the semaphores waited for: the application would wait for
// them again.
TEST_F(EverythingOutOfMemory, AtAnyAllocationOfAFrame) {
    begin();
    const auto show = [&] {
        // Of the later frames of a swapchain, fewer allocate.
        const long allocations = std::exchange(until_failure, -1);
        swapchain_.reset();
        swapchain_.emplace(client_->device, client_->surface);
        EXPECT_EQ(swapchain_->set_size(4), VK_SUCCESS);
        until_failure = allocations;
        swapchain_->change_metadata();
        const Acquired acquired = swapchain_->acquire();
        if (acquired.result != VK_SUCCESS)
            return acquired.result;
        swapchain_->render(client_->renderer);
        const VkResult result = swapchain_->present(acquired.index);
        until_failure = -1;
        if (result != VK_SUCCESS) {
            EXPECT_EQ(swapchain_->fence_status(), VK_NOT_READY);
            EXPECT_EQ(swapchain_->present(acquired.index), VK_SUCCESS);
        }
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        size_t reports = 0;
        EXPECT_EQ(swapchain_->take_reports(&reports), VK_SUCCESS);
        EXPECT_EQ(reports, 1u);
        EXPECT_EQ(swapchain_->wait_for_present(0), VK_SUCCESS);
        return result;
    };
    fail_each_allocation(show, [&] {});
}

// The image is free again, and the semaphore and the fence are as they were.
TEST_F(OutOfMemory, AtAnyAllocationOfAnAcquireThatSubmits) {
    unsetenv("FENCEBRIDGE_SYNC");
    FakeModule module;
    // The driver signals the fence of an acquire only by a submission that waits for the snapshot.
    fake_driver().set_sync_fd_features(0,
                                       VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
                                           VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT,
                                       VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
    fake_driver().set_queue_count(0, 3);
    Client client(CompositorTest::start().connect());
    const Swapchain swapchain = client.swapchain({.min_images = 4});
    const Fd reads(eventfd(0, EFD_CLOEXEC));
    std::vector<Owned<VkFence>> fences;
    const auto acquire = [&] {
        module.export_fence(reads.duplicate());
        fences.push_back(make_fence(client.device));
        const auto [result, index] =
            test::acquire(client.device, swapchain, 0, VK_NULL_HANDLE, fences.back());
        until_failure = -1;
        EXPECT_EQ(vkGetFenceStatus(client.device, fences.back()), VK_NOT_READY);
        if (result != VK_SUCCESS)
            fences.pop_back();
        return result;
    };
    fail_each_allocation(acquire, [&] { EXPECT_EQ(acquire(), VK_SUCCESS); });
    while (fences.size() < swapchain.images.size())
        ASSERT_EQ(acquire(), VK_SUCCESS) << "an image is lost";
    eventfd_write(reads.get(), 1);
    for (const auto& fence : fences)
        EXPECT_TRUE(wait_and_reset(client.device, fence));
    vkDeviceWaitIdle(client.device);
}

// The swapchain compares the feedback with its layout when memory is back.
TEST_F(EverythingOutOfMemory, AtAnyAllocationOfAFrameAfterAFeedback) {
    begin();
    bool better = false;
    const auto show = [&] {
        const Acquired acquired = swapchain_->acquire();
        if (acquired.result < 0)
            return acquired.result;
        swapchain_->render(client_->renderer);
        // Arrives between acquire and present.
        compositor_->on_thread([&](Scene& scene) {
            Feedback feedback = linear_feedback();
            if (better)
                feedback.tranches.insert(feedback.tranches.begin(), feedback.tranches.front());
            better = !better;
            scene.set_feedback(feedback);
        });
        client_->app.round_trip();
        const VkResult result = swapchain_->present(acquired.index);
        until_failure = -1;
        if (result < 0) {
            EXPECT_GE(swapchain_->present(acquired.index), 0);
        }
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        EXPECT_EQ(swapchain_->take_reports(), VK_SUCCESS);
        return result;
    };
    fail_each_allocation(show, [&] { EXPECT_EQ(show(), VK_SUCCESS); });
}

// A report stays until a call returns it.
TEST_F(EverythingOutOfMemory, AtAnyAllocationOfTheReports) {
    begin();
    size_t reports = 0;
    const auto show = [&] {
        EXPECT_EQ(swapchain_->frame(client_->renderer), VK_SUCCESS);
        compositor_->settle();
    };
    show();
    fail_each_allocation([&] { return swapchain_->take_reports(&reports); },
                         [&] {
                             if (reports == 0) {
                                 EXPECT_EQ(swapchain_->take_reports(&reports), VK_SUCCESS);
                             }
                             EXPECT_EQ(std::exchange(reports, 0), 1u);
                             show();
                         });
}

// The time of a rendering is known later.
TEST_F(EverythingOutOfMemory, AtAnyAllocationOfARenderingsTime) {
    unsetenv("FENCEBRIDGE_SYNC");
    FakeModule module;
    module.tell_signal_times(1);
    begin();
    size_t reports = 0;
    const auto show = [&] {
        const Acquired acquired = swapchain_->acquire();
        fake_driver().hold_rendering(VK_TRUE);
        swapchain_->render(client_->renderer);
        EXPECT_EQ(swapchain_->present(acquired.index), VK_SUCCESS);
        fake_driver().hold_rendering(VK_FALSE);
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
    };
    show();
    fail_each_allocation([&] { return swapchain_->take_reports(&reports); },
                         [&] {
                             if (reports == 0) {
                                 EXPECT_EQ(swapchain_->take_reports(&reports), VK_SUCCESS);
                             }
                             EXPECT_EQ(std::exchange(reports, 0), 1u);
                             show();
                         });
    swapchain_.reset();
    client_.reset();
}

TEST_F(EverythingOutOfMemory, AtAnyAllocationOfVkCreateDevice) {
    const auto instance = make_instance(options_of_everything());
    uint32_t one = 1;
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    vkEnumeratePhysicalDevices(instance, &one, &physical);
    const auto extensions = extensions_of_everything();
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkPhysicalDevicePresentIdFeaturesKHR features{
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR};
    features.presentId = VK_TRUE;
    VkDeviceCreateInfo info{VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.pNext = &features;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = uint32_t(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const auto create = [&] {
        VkDevice device = VK_NULL_HANDLE;
        const VkResult result = vkCreateDevice(physical, &info, nullptr, &device);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroyDevice(device, nullptr);
        return result;
    };
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

TEST_F(EverythingOutOfMemory, AtAnyAllocationOfTheQueriesOfASurface) {
    Client client(CompositorTest::start(script_of_everything()).connect(), options_of_everything(),
                  extensions_of_everything());
    const auto query = [&] {
        const long allocations = std::exchange(until_failure, -1);
        const SecondWindow window(client);
        until_failure = allocations;
        uint32_t count = 0;
        VkResult result = vkGetPhysicalDeviceSurfaceFormatsKHR(client.device.physical,
                                                               window.surface, &count, nullptr);
        VkSurfaceCapabilitiesKHR capabilities{};
        if (result == VK_SUCCESS)
            result = vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical,
                                                               window.surface, &capabilities);
        if (result == VK_SUCCESS)
            result = vkGetPhysicalDeviceSurfacePresentModesKHR(client.device.physical,
                                                               window.surface, &count, nullptr);
        VkDeviceGroupPresentModeFlagsKHR modes{};
        if (result == VK_SUCCESS)
            result = vkGetDeviceGroupSurfacePresentModesKHR(client.device, window.surface, &modes);
        until_failure = -1;
        return result;
    };
    fail_each_allocation(query, [&] { EXPECT_EQ(query(), VK_SUCCESS); });
}

// No claim to the window is left.
TEST_F(EverythingOutOfMemory, AtAnyAllocationOfADriversSwapchain) {
    Client client(CompositorTest::start({.globals = {.dmabuf = 0}}).connect());
    const auto create = [&](VkSwapchainKHR old) {
        const long allocations = std::exchange(until_failure, -1);
        VkSurfaceCapabilitiesKHR capabilities{};
        vkGetPhysicalDeviceSurfaceCapabilitiesKHR(client.device.physical, client.surface,
                                                  &capabilities);
        until_failure = allocations;
        Swapchain made = client.swapchain({.format = FAKE_DRIVER_NATIVE_FORMAT,
                                           .mode = VK_PRESENT_MODE_IMMEDIATE_KHR,
                                           .old = old});
        until_failure = -1;
        return made;
    };
    fail_each_allocation([&] { return create(VK_NULL_HANDLE).result; },
                         [&] { EXPECT_EQ(create(VK_NULL_HANDLE).result, VK_SUCCESS); });
    fail_each_allocation(
        [&] {
            const long allocations = std::exchange(until_failure, -1);
            const Swapchain old = create(VK_NULL_HANDLE);
            until_failure = allocations;
            return create(old).result;
        },
        [&] { EXPECT_EQ(create(VK_NULL_HANDLE).result, VK_SUCCESS); });
}

TEST_F(EverythingOutOfMemory, AtAnyAllocationOfVkSetSwapchainPresentTimingQueueSize) {
    begin();
    uint32_t size = 4;
    fail_each_allocation([&] { return swapchain_->set_size(size *= 2); },
                         [&] {
                             EXPECT_EQ(swapchain_->set_size(size), VK_SUCCESS);
                             EXPECT_EQ(swapchain_->frame(client_->renderer), VK_SUCCESS);
                             compositor_->settle();
                             EXPECT_EQ(swapchain_->take_reports(), VK_SUCCESS);
                         });
}

// --- libwayland's allocations ---

// If libwayland cannot allocate a request, the connection ends. So each attempt has its own.
class LibwaylandOutOfMemory : public EverythingOutOfMemory {
protected:
    void connect() {
        swapchain_.reset();
        client_.emplace(compositor_->connect(), options_of_everything(),
                        extensions_of_everything());
    }
    bool is_connected() const { return wl_display_get_error(client_->app.display()) == 0; }
    // A new swapchain of the surface shows a frame, unless the connection has ended.
    void expect_that_the_surface_can_be_used() {
        swapchain_.reset();
        const EverythingSwapchain other(client_->device, client_->surface);
        if (!is_connected()) {
            EXPECT_EQ(other.result(), VK_ERROR_SURFACE_LOST_KHR);
            return;
        }
        ASSERT_EQ(other.result(), VK_SUCCESS);
        EXPECT_EQ(other.set_size(4), VK_SUCCESS);
        EXPECT_EQ(EverythingSwapchain(client_->device, client_->surface).result(),
                  VK_ERROR_NATIVE_WINDOW_IN_USE_KHR);
    }
};

TEST_F(LibwaylandOutOfMemory, InVkCreateWaylandSurface) {
    CompositorTest::start(script_of_everything());
    const auto instance = make_instance();
    const auto create = [&] {
        const long allocations = std::exchange(until_failure, -1);
        App app(*compositor_);
        const auto window = app.new_surface();
        VkWaylandSurfaceCreateInfoKHR info{VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR};
        info.display = app.display();
        info.surface = window;
        VkSurfaceKHR surface = VK_NULL_HANDLE;
        until_failure = allocations;
        const VkResult result = vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &surface);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroySurfaceKHR(instance, surface, nullptr);
        return result;
    };
    fail_each_allocation(
        create, [&] { EXPECT_EQ(create(), VK_SUCCESS); }, libwayland);
}

TEST_F(LibwaylandOutOfMemory, InVkCreateSwapchain) {
    begin();
    const auto create = [&] {
        const long allocations = std::exchange(until_failure, -1);
        connect();
        until_failure = allocations;
        swapchain_.emplace(client_->device, client_->surface);
        until_failure = -1;
        return swapchain_->result();
    };
    fail_each_allocation(
        create, [&] { expect_that_the_surface_can_be_used(); }, libwayland,
        VK_ERROR_SURFACE_LOST_KHR);
}

// A frame that cannot be shown as the application wants loses the surface, and its VkFence signals.
TEST_F(LibwaylandOutOfMemory, InTheFirstFrame) {
    begin();
    const Commit whole = compositor_->last_commit();
    const auto show = [&] {
        const long allocations = std::exchange(until_failure, -1);
        connect();
        swapchain_.emplace(client_->device, client_->surface);
        EXPECT_EQ(swapchain_->set_size(4), VK_SUCCESS);
        const Acquired acquired = swapchain_->acquire();
        EXPECT_EQ(acquired.result, VK_SUCCESS);
        swapchain_->render(client_->renderer);
        until_failure = allocations;
        swapchain_->change_metadata();
        const VkResult result = swapchain_->present(acquired.index);
        until_failure = -1;
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        const VkResult waited = swapchain_->wait_for_present(forever);
        size_t reports = 0;
        const VkResult reported = swapchain_->take_reports(&reports);
        if (is_connected()) {
            EXPECT_EQ(waited, result);
            if (result == VK_SUCCESS) {
                const Commit shown = compositor_->last_commit();
                EXPECT_EQ(shown.image_description.has_value(), whole.image_description.has_value());
                EXPECT_EQ(shown.alpha_mode, whole.alpha_mode);
                EXPECT_EQ(shown.target_time.has_value(), whole.target_time.has_value());
                EXPECT_EQ(shown.fifo_set_barrier, whole.fifo_set_barrier);
            }
            EXPECT_EQ(reported, VK_SUCCESS);
            EXPECT_EQ(reports, result == VK_SUCCESS ? 1u : 0u);
        }
        return result;
    };
    fail_each_allocation(
        show, [&] { expect_that_the_surface_can_be_used(); }, libwayland,
        VK_ERROR_SURFACE_LOST_KHR);
}

// A frame whose tearing control cannot be allocated does not tear, and the next one does.
TEST_F(LibwaylandOutOfMemory, InTheFirstFrameThatTears) {
    begin();
    const auto show = [&] {
        const long allocations = std::exchange(until_failure, -1);
        connect();
        swapchain_.emplace(client_->device, client_->surface);
        EXPECT_EQ(swapchain_->set_size(4), VK_SUCCESS);
        swapchain_->set_mode(EverythingSwapchain::Mode::tears);
        const Acquired acquired = swapchain_->acquire();
        EXPECT_EQ(acquired.result, VK_SUCCESS);
        swapchain_->render(client_->renderer);
        until_failure = allocations;
        const VkResult result = swapchain_->present(acquired.index);
        until_failure = -1;
        EXPECT_TRUE(swapchain_->finish());
        if (result == VK_SUCCESS && is_connected()) {
            EXPECT_EQ(swapchain_->frame(client_->renderer), VK_SUCCESS);
            compositor_->settle();
#ifdef FAKE_COMPOSITOR_HAS_TEARING
            EXPECT_TRUE(compositor_->last_commit().may_tear);
#endif
        }
        return result;
    };
    fail_each_allocation(
        show, [&] { expect_that_the_surface_can_be_used(); }, libwayland,
        VK_ERROR_SURFACE_LOST_KHR);
}

TEST_F(LibwaylandOutOfMemory, InAWaitForAPresent) {
    begin();
    const auto wait = [&] {
        const long allocations = std::exchange(until_failure, -1);
        connect();
        swapchain_.emplace(client_->device, client_->surface);
        EXPECT_EQ(swapchain_->set_size(4), VK_SUCCESS);
        EXPECT_EQ(swapchain_->frame(client_->renderer), VK_SUCCESS);
        until_failure = allocations;
        VkResult result = swapchain_->wait_for_present(forever);
        if (result == VK_SUCCESS)
            result = swapchain_->take_reports();
        until_failure = -1;
        return result;
    };
    fail_each_allocation(
        wait, [&] { expect_that_the_surface_can_be_used(); }, libwayland,
        VK_ERROR_SURFACE_LOST_KHR);
}

#ifdef FAKE_COMPOSITOR_HAS_COLOR
// An application whose swapchain has HDR metadata.
struct HdrClient {
    explicit HdrClient(Compositor& shows) : compositor(shows) {
        EXPECT_EQ(swapchain.result, VK_SUCCESS);
        metadata.maxContentLightLevel = 100;
    }

    static InstanceOptions options() {
        InstanceOptions options;
        options.extensions.push_back(VK_EXT_SWAPCHAIN_COLOR_SPACE_EXTENSION_NAME);
        return options;
    }
    void change_metadata() {
        ++metadata.maxContentLightLevel;
        const VkSwapchainKHR handle = swapchain;
        set_metadata(client.device, 1, &handle, &metadata);
    }
    void expect_the_next_frame_to_have_the_metadata() {
        EXPECT_EQ(client.frame(swapchain), VK_SUCCESS);
        vkDeviceWaitIdle(client.device);
        const auto description = compositor.last_commit().image_description;
        ASSERT_TRUE(description);
        EXPECT_EQ(description->max_cll, uint32_t(metadata.maxContentLightLevel));
    }

    Compositor& compositor;
    Client client{compositor.connect(),
                  options(),
                  {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_EXT_HDR_METADATA_EXTENSION_NAME}};
    const PFN_vkSetHdrMetadataEXT set_metadata = reinterpret_cast<PFN_vkSetHdrMetadataEXT>(
        vkGetDeviceProcAddr(client.device, "vkSetHdrMetadataEXT"));
    const Swapchain swapchain = client.swapchain({.space = VK_COLOR_SPACE_HDR10_ST2084_EXT});
    VkHdrMetadataEXT metadata{VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
};

// The next present requests what vkSetHdrMetadataEXT could not.
TEST_F(OutOfMemory, AtAnyAllocationOfVkSetHdrMetadata) {
    HdrClient hdr(start());
    fail_each_allocation(
        [&] {
            hdr.change_metadata();
            return VK_SUCCESS;
        },
        [&] { hdr.expect_the_next_frame_to_have_the_metadata(); });
}

// Two calls of vkSetHdrMetadataEXT without a present between them: the present requests the
// description of the second. The image is shown nevertheless, and the next present tries again.
TEST_F(OutOfMemory, AtAnyAllocationOfAPresentThatUpdatesTheMetadata) {
    HdrClient hdr(start());
    Client& client = hdr.client;
    const auto show = [&] {
        const long allocations = std::exchange(until_failure, -1);
        for (int call = 0; call < 2; ++call)
            hdr.change_metadata();
        const Acquired acquired = client.acquire(hdr.swapchain);
        const size_t commits = compositor_->commits();
        until_failure = allocations;
        const VkResult result = client.present(hdr.swapchain, acquired.index);
        until_failure = -1;
        // The image is still acquired: it is presented after all.
        if (result != VK_SUCCESS) {
            EXPECT_EQ(client.present(hdr.swapchain, acquired.index), VK_SUCCESS);
        }
        vkDeviceWaitIdle(client.device);
        compositor_->settle();
        EXPECT_EQ(compositor_->commits(), commits + 1);
        return result;
    };
    fail_each_allocation(show, [&] { hdr.expect_the_next_frame_to_have_the_metadata(); });
}
#endif

} // namespace
} // namespace fencebridge::test
