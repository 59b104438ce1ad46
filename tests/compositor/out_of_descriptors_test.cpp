// SPDX-License-Identifier: MIT
// Invariants 3 and 7: each descriptor that the layer duplicates in a frame fails once with EMFILE,
// one after the other. The semaphores of a present have been waited for then, so the present works
// all the same: if need be, it waits for the rendering on the CPU. On a fake of the module, so that
// no present waits for another reason.
#include "everything.hpp"
#include "fake_module.hpp"
#include "fixture.hpp"
#include "skipped_waits.hpp"

#include "fake_driver/control.hpp"
#include "vk/present_timing_headers.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

// How many more duplications by the layer succeed on this thread before one fails; negative: none
// fails.
thread_local long until_failure = -1;
thread_local bool failed = false;

bool fails(int command, const void* caller) {
    Dl_info info;
    if (command != F_DUPFD_CLOEXEC || until_failure < 0 || dladdr(caller, &info) == 0 ||
        info.dli_fname == nullptr ||
        std::strstr(info.dli_fname, "libVkLayer_FENCEBRIDGE") == nullptr || until_failure-- != 0)
        return false;
    failed = true;
    return true;
}

int control(int fd, int command, void* argument, const void* caller) {
    if (!fails(command, caller))
        return int(syscall(SYS_fcntl, fd, command, argument));
    errno = EMFILE;
    return -1;
}

} // namespace

// The layer finds these before the C library's. _FILE_OFFSET_BITS decides which one it calls.
#define EXPORTED_AS(name) __asm__(name) __attribute__((visibility("default")))
extern "C" {
int fencebridge_test_fcntl(int fd, int command, ...) EXPORTED_AS("fcntl");
int fencebridge_test_fcntl64(int fd, int command, ...) EXPORTED_AS("fcntl64");

// The argument is read even if the caller passed none. The kernel ignores it then.
int fencebridge_test_fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return control(fd, command, argument, __builtin_return_address(0));
}
int fencebridge_test_fcntl64(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return control(fd, command, argument, __builtin_return_address(0));
}
}

namespace fencebridge::test {
namespace {

class OutOfDescriptors : public CompositorTest {
protected:
    void SetUp() override {
        CompositorTest::SetUp();
        unsetenv("FENCEBRIDGE_SYNC");
        module_.emplace();
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_.reset();
        client_.reset();
        module_.reset();
        CompositorTest::TearDown();
    }

    void begin(uint32_t slots) {
        client_.emplace(start(script_of_everything()).connect(), options_of_everything(),
                        extensions_of_everything());
        swapchain_.emplace(client_->device, client_->surface);
        ASSERT_EQ(swapchain_->result(), VK_SUCCESS);
        ASSERT_EQ(swapchain_->set_size(slots), VK_SUCCESS);
    }

    // Calls `call()` once for each descriptor that the layer duplicates in it, with that
    // duplication failing.
    template <class Call>
    static void fail_each_duplicate(Call&& call) {
        long number = 0;
        for (bool all = false; !all && number < 100; ++number) {
            SCOPED_TRACE("duplicate " + std::to_string(number));
            failed = false;
            until_failure = number;
            call();
            until_failure = -1;
            all = !failed;
            if (HasFailure())
                return;
        }
        EXPECT_GT(number, 1) << "nothing is duplicated, or by other means";
    }

    struct Presented {
        VkResult result;
        bool waited; // for the rendering, on the CPU
    };
    // Presents while the rendering is held. A wait on the CPU ends when the rendering does.
    Presented present_held(uint32_t index) {
        Presented presented{VK_ERROR_UNKNOWN, false};
        {
            const SkippedWaits skipped;
            before_endless_wait = [&] {
                presented.waited = true;
                EXPECT_EQ(swapchain_->fence_status(), VK_NOT_READY);
                fake_driver().hold_rendering(VK_FALSE);
            };
            presented.result = swapchain_->present(index);
        }
        until_failure = -1;
        EXPECT_EQ(swapchain_->fence_status(), presented.waited ? VK_SUCCESS : VK_NOT_READY);
        fake_driver().hold_rendering(VK_FALSE);
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        return presented;
    }
    // Acquires an image, and renders to it without an end.
    uint32_t acquire_and_hold() {
        const auto [result, index] = swapchain_->acquire();
        EXPECT_EQ(result, VK_SUCCESS);
        fake_driver().hold_rendering(VK_TRUE);
        swapchain_->render(client_->renderer);
        return index;
    }

    std::optional<FakeModule> module_;
    std::optional<Client> client_;
    std::optional<EverythingSwapchain> swapchain_;
};

TEST_F(OutOfDescriptors, AtAnyDuplicateOfAPresent) {
    begin(4);
    fail_each_duplicate([&] {
        const long duplicates = std::exchange(until_failure, -1);
        const uint32_t index = acquire_and_hold();
        until_failure = duplicates;
        EXPECT_EQ(present_held(index).result, VK_SUCCESS);
        size_t reports = 0;
        EXPECT_EQ(swapchain_->take_reports(&reports), VK_SUCCESS);
        EXPECT_EQ(reports, 1u);
    });
}

// The rendering of such a present has no later one that could wait for it.
TEST_F(OutOfDescriptors, AtAnyDuplicateOfAPresentWithoutASlot) {
    begin(0);
    fail_each_duplicate([&] {
        const long duplicates = std::exchange(until_failure, -1);
        const uint32_t index = acquire_and_hold();
        until_failure = duplicates;
        const bool first_fails = duplicates == 0;
        const Presented presented = present_held(index);
        EXPECT_EQ(presented.result, VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
        if (first_fails) {
            EXPECT_TRUE(presented.waited);
        }
        // The image is still acquired.
        ASSERT_EQ(swapchain_->set_size(1), VK_SUCCESS);
        swapchain_->render_again(client_->renderer);
        EXPECT_EQ(swapchain_->present(index), VK_SUCCESS);
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        EXPECT_EQ(swapchain_->take_reports(), VK_SUCCESS);
        ASSERT_EQ(swapchain_->set_size(0), VK_SUCCESS);
    });
}

// Such a present waits for the earlier rendering of its image as well.
TEST_F(OutOfDescriptors, AtAnyDuplicateOfThePresentAfterOneWithoutASlot) {
    begin(0);
    fail_each_duplicate([&] {
        const long duplicates = std::exchange(until_failure, -1);
        const uint32_t index = acquire_and_hold();
        EXPECT_EQ(swapchain_->present(index), VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
        EXPECT_EQ(swapchain_->fence_status(), VK_NOT_READY);
        const size_t commits = compositor_->commits();
        // Eventfds, which stand for sync_files, cannot be merged: a wait on the CPU replaces that.
        ASSERT_EQ(swapchain_->set_size(1), VK_SUCCESS);
        swapchain_->render_again(client_->renderer);
        swapchain_->use_another_fence();
        bool waited = false;
        VkResult result = VK_ERROR_UNKNOWN;
        {
            const SkippedWaits skipped;
            before_endless_wait = [&] {
                waited = true;
                EXPECT_EQ(compositor_->commits(), commits);
                fake_driver().hold_rendering(VK_FALSE);
            };
            until_failure = duplicates;
            result = swapchain_->present(index);
            until_failure = -1;
        }
        EXPECT_EQ(result, VK_SUCCESS);
        EXPECT_TRUE(waited);
        fake_driver().hold_rendering(VK_FALSE);
        EXPECT_TRUE(swapchain_->finish());
        compositor_->settle();
        EXPECT_EQ(compositor_->commits(), commits + 1);
        EXPECT_EQ(swapchain_->take_reports(), VK_SUCCESS);
        ASSERT_EQ(swapchain_->set_size(0), VK_SUCCESS);
    });
}

// --- and the wait on the CPU fails, too ---

// The application would else read that it can repeat the call.
TEST_F(OutOfDescriptors, APresentThatCanNeitherAttachNorWaitLosesTheDevice) {
    begin(4);
    const uint32_t index = acquire_and_hold();
    module_->fail(FENCEBRIDGE_IOCTL_IMPORT, ENOMEM);
    const SkippedWaits skipped;
    endless_wait_error = ENOMEM;
    EXPECT_EQ(swapchain_->present(index), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(compositor_->commits(), 0u);
    // The driver's device is not lost, so that nothing else would end a wait for the fence.
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(swapchain_->finish());
}

// Such a present is never shown.
TEST_F(OutOfDescriptors, APresentThatLosesTheDeviceEndsTheWaitForIt) {
    begin(4);
    const uint32_t index = acquire_and_hold();
    module_->fail(FENCEBRIDGE_IOCTL_IMPORT, ENOMEM);
    const SkippedWaits skipped;
    std::promise<void> began;
    before_endless_wait = [&, presenting = std::this_thread::get_id(), first = true]() mutable {
        if (std::this_thread::get_id() != presenting && std::exchange(first, false))
            began.set_value();
    };
    std::thread waiting(
        [&] { EXPECT_EQ(swapchain_->wait_for_next_present(forever), VK_ERROR_DEVICE_LOST); });
    began.get_future().wait();
    endless_wait_error = ENOMEM;
    EXPECT_EQ(swapchain_->present(index), VK_ERROR_DEVICE_LOST);
    waiting.join();
}

TEST_F(OutOfDescriptors, APresentThatCannotKeepItsRenderingLosesTheDevice) {
    begin(0);
    const uint32_t index = acquire_and_hold();
    const SkippedWaits skipped;
    endless_wait_error = ENOMEM;
    until_failure = 0;
    EXPECT_EQ(swapchain_->present(index), VK_ERROR_DEVICE_LOST);
    until_failure = -1;
    EXPECT_EQ(compositor_->commits(), 0u);
    fake_driver().hold_rendering(VK_FALSE);
    EXPECT_TRUE(swapchain_->finish());
}

TEST_F(OutOfDescriptors, APresentThatCannotWaitForTheRenderingBeforeLosesTheDevice) {
    begin(0);
    const uint32_t index = acquire_and_hold();
    EXPECT_EQ(swapchain_->present(index), VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    swapchain_->render_again(client_->renderer);
    swapchain_->use_another_fence();
    const SkippedWaits skipped;
    endless_wait_error = ENOMEM;
    EXPECT_EQ(swapchain_->present(index), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(compositor_->commits(), 0u);
}

// The image is free again, and the semaphore and the fence are as they were.
TEST_F(OutOfDescriptors, AtTheDuplicateOfAnAcquireWithASemaphoreAndAFence) {
    begin(4);
    const auto semaphore = make_semaphore(client_->device);
    const auto fence = make_fence(client_->device);
    const Fd reads(eventfd(0, EFD_CLOEXEC));
    module_->export_fence(reads.duplicate());
    until_failure = 0;
    failed = false;
    EXPECT_EQ(test::acquire(client_->device, swapchain_->swapchain(), 0, semaphore, fence).result,
              VK_ERROR_OUT_OF_HOST_MEMORY);
    until_failure = -1;
    EXPECT_TRUE(failed);
    EXPECT_EQ(vkGetFenceStatus(client_->device, fence), VK_NOT_READY);
    EXPECT_EQ(test::acquire(client_->device, swapchain_->swapchain(), 0, semaphore, fence).result,
              VK_SUCCESS);
    for (size_t i = 1; i < swapchain_->swapchain().images.size(); ++i) {
        const auto other = make_fence(client_->device);
        EXPECT_EQ(test::acquire(client_->device, swapchain_->swapchain(), 0, VK_NULL_HANDLE, other)
                      .result,
                  VK_SUCCESS);
        eventfd_write(reads.get(), 1);
        EXPECT_TRUE(wait_and_reset(client_->device, other));
    }
    EXPECT_TRUE(wait_and_reset(client_->device, fence));
    const auto done = make_fence(client_->device);
    client_->renderer.submit_no_work({semaphore}, done);
    EXPECT_TRUE(wait_and_reset(client_->device, done));
}

} // namespace
} // namespace fencebridge::test
