// SPDX-License-Identifier: MIT
// In vkCreateSwapchainKHR, vkAcquireNextImageKHR and vkQueuePresentKHR, every driver call that
// fail_any_call() counts fails once, one after the other. The application receives a result that
// its own call may return, nothing leaks, and the window can still be presented to.
#include <algorithm>
#include <span>

#include "fixture.hpp"
#include "swapchain.hpp"
#include "window.hpp"

namespace fencebridge::test {
namespace {

constexpr std::array injected_results{VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY,
                                      VK_ERROR_DEVICE_LOST};

bool is_out_of_memory(VkResult result) {
    return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/// Whether the application's result is the driver's. The two out-of-memory results count as equal,
/// because not every function may return both.
bool is_same_failure(VkResult seen, VkResult injected) {
    return seen == injected || (is_out_of_memory(seen) && is_out_of_memory(injected));
}

std::string describe(uint32_t nth) {
    return std::string{"call "} + std::to_string(nth) + ", " + fake_driver().last_injected();
}

class FailingCalls : public DriverTest, public testing::WithParamInterface<VkResult> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        // Otherwise another allocator makes the images if the driver lacks memory for exports.
        fake_driver().set_dma_buf_features(0, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
        fake_driver().set_shares_buffers(0, VK_FALSE);
        compositor_ = std::make_unique<Compositor>();
        window_ = std::make_unique<Window>(*compositor_);
        instance_ = std::make_unique<Instance>();
        surface_ = std::make_unique<WindowSurface>(*instance_, *window_);
        ASSERT_EQ(surface_->result(), VK_SUCCESS);
        make_device();
    }

    void make_device() {
        device_ = std::make_unique<Device>(
            instance_->physical_device(),
            DeviceRequest{.extensions = {"VK_KHR_swapchain", "VK_EXT_swapchain_maintenance1"}});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
    }

    void TearDown() override {
        device_.reset();
        surface_.reset();
        instance_.reset();
        window_.reset();
        compositor_.reset();
        DriverTest::TearDown();
    }

    /// Runs `call` repeatedly. In run n the nth driver call fails, until a run has fewer calls and
    /// succeeds. `prepare` creates the state of a run, `check` receives the result of a run with a
    /// failure, and `complete` receives the state of the run that succeeds.
    template <class Prepare, class Call, class Check, class Complete>
    void fail_each(Prepare&& prepare, Call&& call, Check&& check, Complete&& complete) {
        for (uint32_t nth = 1;; ++nth) {
            auto state = prepare();
            const uint32_t before = fake_driver().injected_failures();
            fake_driver().fail_any_call(nth, GetParam());
            const VkResult result = call(*state);
            fake_driver().clear_failures();
            if (fake_driver().injected_failures() == before) {
                EXPECT_EQ(result, VK_SUCCESS);
                EXPECT_GT(nth, 1U) << "it calls nothing that can fail";
                complete(*state);
                return;
            }
            const testing::ScopedTrace trace{__FILE__, __LINE__, describe(nth)};
            check(*state, result);
            if (HasFailure())
                return;
        }
    }

    /// The number of open descriptors once no request is on its way to the compositor, which is in
    /// this process.
    size_t settled_descriptors() {
        compositor_->settle();
        return open_descriptors();
    }

    std::unique_ptr<Compositor> compositor_;
    std::unique_ptr<Window> window_;
    std::unique_ptr<Instance> instance_;
    std::unique_ptr<WindowSurface> surface_;
    std::unique_ptr<Device> device_;
};

TEST_P(FailingCalls, EachFailureInVkCreateSwapchainIsReturnedAndLeaksNothing) {
    const auto objects = driver_objects();
    const size_t descriptors = settled_descriptors();
    struct Attempt {
        std::unique_ptr<Swapchain> swapchain;
    };
    fail_each([] { return std::make_unique<Attempt>(); },
              [&](Attempt& attempt) {
                  attempt.swapchain = std::make_unique<Swapchain>(*device_, *surface_);
                  return attempt.swapchain->result();
              },
              [&](Attempt&, VkResult result) {
                  EXPECT_EQ(result, GetParam());
                  EXPECT_EQ(driver_objects(), objects);
                  EXPECT_EQ(settled_descriptors(), descriptors);
              },
              [](Attempt&) {});
    const Swapchain swapchain{*device_, *surface_};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    expect_frames(*device_, swapchain);
}

TEST_P(FailingCalls, OldSwapchainIsRetiredAfterEachFailureInVkCreateSwapchain) {
    // vkCreateSwapchainKHR retires oldSwapchain even if it fails.
    struct Attempt {
        std::unique_ptr<Swapchain> old;
        std::unique_ptr<Swapchain> swapchain;
    };
    fail_each(
        [&] {
            auto attempt = std::make_unique<Attempt>();
            attempt->old = std::make_unique<Swapchain>(*device_, *surface_);
            EXPECT_EQ(attempt->old->result(), VK_SUCCESS);
            return attempt;
        },
        [&](Attempt& attempt) {
            attempt.swapchain = std::make_unique<Swapchain>(*device_, *surface_, *attempt.old);
            return attempt.swapchain->result();
        },
        [&](Attempt& attempt, VkResult result) {
            EXPECT_EQ(result, GetParam());
            Frame frame{*device_};
            EXPECT_EQ(frame.acquire(*attempt.old), VK_ERROR_OUT_OF_DATE_KHR);
        },
        [](Attempt&) {});
    const Swapchain swapchain{*device_, *surface_};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    expect_frames(*device_, swapchain);
}

TEST_P(FailingCalls, EachFailureInVkAcquireNextImageIsReturnedAndLosesNoImage) {
    const Swapchain swapchain{*device_, *surface_};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    expect_frames(*device_, swapchain);
    const size_t descriptors = settled_descriptors();
    const auto show = [&](Frame& frame) {
        EXPECT_EQ(frame.submit(), VK_SUCCESS);
        EXPECT_EQ(frame.present(swapchain), VK_SUCCESS);
        EXPECT_EQ(frame.finish(), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
    };
    fail_each([&] { return std::make_unique<Frame>(*device_); },
              [&](Frame& frame) { return frame.acquire(swapchain); },
              [&](Frame& frame, VkResult result) {
                  EXPECT_TRUE(is_same_failure(result, GetParam())) << result;
                  EXPECT_EQ(vkGetFenceStatus(*device_, frame.acquire_fence()), VK_NOT_READY);
                  // The same semaphore and fence can be used again, and no image is lost.
                  ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
                  show(frame);
                  // Checked after the second acquire: if the first one left a payload in the
                  // semaphore, the driver keeps its descriptor until then.
                  EXPECT_EQ(settled_descriptors(), descriptors);
                  expect_frames(*device_, swapchain);
              },
              show);
}

TEST_P(FailingCalls, EachFailureInVkQueuePresentIsWorkedAroundOrReturned) {
    struct Shown {
        Shown(const Device& device, const WindowSurface& surface, size_t committed) :
            swapchain{device, surface}, frame{device}, commits{committed} {}
        Swapchain swapchain;
        Frame frame;
        size_t commits;
    };
    fail_each(
        [&] {
            auto shown = std::make_unique<Shown>(*device_, *surface_, compositor_->commits());
            EXPECT_EQ(shown->frame.acquire(shown->swapchain), VK_SUCCESS);
            EXPECT_EQ(shown->frame.submit(), VK_SUCCESS);
            return shown;
        },
        [&](Shown& shown) { return shown.frame.present(shown.swapchain); },
        [&](Shown& shown, VkResult result) {
            EXPECT_EQ(shown.frame.finish(), VK_SUCCESS);
            if (result == VK_SUCCESS) {
                // The layer worked around the failure, and commits the frame.
                EXPECT_TRUE(compositor_->wait_for_commits(shown.commits + 1));
                expect_frames(*device_, shown.swapchain);
            } else if (is_out_of_memory(result)) {
                // A vkQueuePresentKHR that ran out of memory has changed neither semaphores nor
                // images: the application may repeat the call.
                EXPECT_TRUE(is_out_of_memory(GetParam()));
                EXPECT_EQ(compositor_->commits(), shown.commits);
                EXPECT_EQ(shown.frame.present(shown.swapchain), VK_SUCCESS);
                EXPECT_TRUE(compositor_->wait_for_commits(shown.commits + 1));
                EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
                expect_frames(*device_, shown.swapchain);
            } else {
                // If semaphores or images may have changed, Vulkan demands this result.
                EXPECT_EQ(result, VK_ERROR_DEVICE_LOST);
                EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
            }
        },
        [](Shown& shown) { EXPECT_EQ(shown.frame.finish(), VK_SUCCESS); });
    const Swapchain swapchain{*device_, *surface_};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    expect_frames(*device_, swapchain);
}

/// A VkFence for vkQueuePresentKHR.
class PresentFence {
public:
    explicit PresentFence(const Device& device) : device_{device} {
        const VkFenceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = nullptr, .flags = 0};
        EXPECT_EQ(vkCreateFence(device, &info, nullptr, &handle_), VK_SUCCESS);
    }
    ~PresentFence() { vkDestroyFence(device_, handle_, nullptr); }
    PresentFence(const PresentFence&) = delete;
    PresentFence& operator=(const PresentFence&) = delete;

    [[nodiscard]] operator VkFence() const { return handle_; }
    [[nodiscard]] VkResult status() const { return vkGetFenceStatus(device_, handle_); }
    [[nodiscard]] VkResult wait() const {
        constexpr uint64_t ten_seconds = 10'000'000'000;
        return vkWaitForFences(device_, 1, &handle_, VK_TRUE, ten_seconds);
    }

private:
    const Device& device_;
    VkFence handle_{VK_NULL_HANDLE};
};

/// Whether the driver imports SYNC_FDs into fences. If not, a submission signals a present fence.
class FailingPresentFences : public FailingCalls {
protected:
    void expect_that_each_failure_is_worked_around_or_returned();
};

void FailingPresentFences::expect_that_each_failure_is_worked_around_or_returned() {
    struct Shown {
        Shown(const Device& device, const WindowSurface& surface, size_t committed) :
            swapchain{device, surface}, frame{device}, fence{device}, commits{committed} {}
        Swapchain swapchain;
        Frame frame;
        PresentFence fence;
        size_t commits;
    };
    fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
    fail_each(
        [&] {
            auto shown = std::make_unique<Shown>(*device_, *surface_, compositor_->commits());
            EXPECT_EQ(shown->frame.acquire(shown->swapchain), VK_SUCCESS);
            EXPECT_EQ(shown->frame.submit(), VK_SUCCESS);
            return shown;
        },
        [&](Shown& shown) { return shown.frame.present(shown.swapchain, shown.fence); },
        [&](Shown& shown, VkResult result) {
            EXPECT_EQ(shown.frame.finish(), VK_SUCCESS);
            if (result == VK_SUCCESS) {
                EXPECT_EQ(shown.fence.wait(), VK_SUCCESS);
                EXPECT_TRUE(compositor_->wait_for_commits(shown.commits + 1));
            } else if (is_out_of_memory(result)) {
                // The application may repeat the call, with the same fence.
                EXPECT_EQ(shown.fence.status(), VK_NOT_READY);
                EXPECT_EQ(shown.frame.present(shown.swapchain, shown.fence), VK_SUCCESS);
                EXPECT_EQ(shown.fence.wait(), VK_SUCCESS);
            } else {
                EXPECT_EQ(result, VK_ERROR_DEVICE_LOST);
            }
            EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
            if (result != VK_ERROR_DEVICE_LOST)
                expect_frames(*device_, shown.swapchain);
        },
        [&](Shown& shown) {
            EXPECT_EQ(shown.frame.finish(), VK_SUCCESS);
            EXPECT_EQ(shown.fence.wait(), VK_SUCCESS);
            EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
        });
}

TEST_P(FailingPresentFences, ByAnImportAreWorkedAroundOrReturned) {
    expect_that_each_failure_is_worked_around_or_returned();
}

TEST_P(FailingPresentFences, ByASubmissionAreWorkedAroundOrReturned) {
    fake_driver().set_sync_fd_features(0,
                                       VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT |
                                           VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT,
                                       VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
    fake_driver().set_queue_count(0, 3);
    device_.reset();
    surface_.reset();
    instance_ = std::make_unique<Instance>();
    surface_ = std::make_unique<WindowSurface>(*instance_, *window_);
    make_device();
    expect_that_each_failure_is_worked_around_or_returned();
}

std::string name_of_result(const testing::TestParamInfo<VkResult>& row) {
    switch (row.param) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return "OutOfHostMemory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return "OutOfDeviceMemory";
    default:
        return "DeviceLost";
    }
}

INSTANTIATE_TEST_SUITE_P(, FailingCalls, testing::ValuesIn(injected_results), name_of_result);
INSTANTIATE_TEST_SUITE_P(, FailingPresentFences, testing::ValuesIn(injected_results),
                         name_of_result);

/// A result of a driver function that the application's call must not return.
struct ForeignResult {
    const char* function;
    VkResult result;
};

constexpr ForeignResult in_create[]{
    {"vkAllocateMemory", VK_ERROR_TOO_MANY_OBJECTS},
    {"vkGetMemoryFdKHR", VK_ERROR_TOO_MANY_OBJECTS},
    {"vkCreateImage", VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT},
};
constexpr ForeignResult in_acquire[]{
    {"vkImportSemaphoreFdKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE},
    {"vkImportFenceFdKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE},
};
constexpr ForeignResult in_present[]{
    {"vkGetSemaphoreFdKHR", VK_ERROR_TOO_MANY_OBJECTS},
    {"vkImportFenceFdKHR", VK_ERROR_INVALID_EXTERNAL_HANDLE},
};

/// The failures that the specification lists for each command.
bool is_failure_of_create(VkResult result) {
    return is_out_of_memory(result) || result == VK_ERROR_DEVICE_LOST ||
           result == VK_ERROR_SURFACE_LOST_KHR || result == VK_ERROR_INITIALIZATION_FAILED ||
           result == VK_ERROR_NATIVE_WINDOW_IN_USE_KHR;
}
bool is_failure_of_a_frame(VkResult result) {
    return is_out_of_memory(result) || result == VK_ERROR_DEVICE_LOST ||
           result == VK_ERROR_OUT_OF_DATE_KHR || result == VK_ERROR_SURFACE_LOST_KHR;
}

class ForeignResults : public FailingCalls {
protected:
    /// Returns whether the layer called the function that was to fail.
    template <class Call>
    static bool with_failure(const ForeignResult& row, Call&& call) {
        const uint32_t before = fake_driver().injected_failures();
        fake_driver().fail_call(row.function, 1, row.result);
        call();
        fake_driver().clear_failures();
        return fake_driver().injected_failures() > before;
    }
};

TEST_F(ForeignResults, VkCreateSwapchainReturnsOnlyItsOwnErrors) {
    // Otherwise the layer would try another allocator after a failure.
    fake_driver().set_dma_buf_features(0, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT);
    fake_driver().set_shares_buffers(0, VK_FALSE);
    for (const ForeignResult& row : in_create) {
        const testing::ScopedTrace trace{__FILE__, __LINE__, row.function};
        std::unique_ptr<Swapchain> swapchain;
        EXPECT_TRUE(with_failure(
            row, [&] { swapchain = std::make_unique<Swapchain>(*device_, *surface_); }));
        EXPECT_TRUE(is_failure_of_create(swapchain->result())) << swapchain->result();
    }
}

TEST_F(ForeignResults, VkAcquireNextImageReturnsOnlyItsOwnErrors) {
    const Swapchain swapchain{*device_, *surface_};
    for (const ForeignResult& row : in_acquire) {
        const testing::ScopedTrace trace{__FILE__, __LINE__, row.function};
        Frame frame{*device_};
        VkResult result = VK_SUCCESS;
        EXPECT_TRUE(with_failure(row, [&] { result = frame.acquire(swapchain); }));
        EXPECT_TRUE(is_failure_of_a_frame(result)) << result;
    }
    expect_frames(*device_, swapchain);
}

TEST_F(ForeignResults, VkQueuePresentReturnsOnlyItsOwnErrors) {
    for (const ForeignResult& row : in_present) {
        const testing::ScopedTrace trace{__FILE__, __LINE__, row.function};
        const Swapchain swapchain{*device_, *surface_};
        Frame frame{*device_};
        ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
        ASSERT_EQ(frame.submit(), VK_SUCCESS);
        const size_t commits = compositor_->commits();
        VkResult result = VK_SUCCESS;
        const PresentFence fence{*device_};
        EXPECT_TRUE(with_failure(row, [&] { result = frame.present(swapchain, fence); }));
        EXPECT_TRUE(is_failure_of_a_frame(result) ||
                    (result == VK_SUCCESS && compositor_->wait_for_commits(commits + 1)))
            << result;
        EXPECT_EQ(frame.finish(), VK_SUCCESS);
        EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
    }
}

// Nothing is left to try: the wait semaphores have been consumed, and the fence stays unsignalled.
TEST_F(ForeignResults, APresentWhoseFenceCannotBeSignalledAtAllLosesTheDevice) {
    const Swapchain swapchain{*device_, *surface_};
    Frame frame{*device_};
    const PresentFence fence{*device_};
    ASSERT_EQ(frame.acquire(swapchain), VK_SUCCESS);
    ASSERT_EQ(frame.submit(), VK_SUCCESS);
    for (uint32_t nth = 1; nth <= 2; ++nth)
        fake_driver().fail_call("vkImportFenceFdKHR", nth, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(frame.present(swapchain, fence), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(fake_driver().injected_failures(), 2U);
    EXPECT_EQ(frame.finish(), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
}

} // namespace
} // namespace fencebridge::test
