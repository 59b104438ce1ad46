// SPDX-License-Identifier: MIT
// Invariant 7 on headless surfaces: each call to the driver that can fail, in three Vulkan calls,
// fails once.
#include <memory>
#include <optional>
#include <string>

#include "fixture.hpp"
#include "headless.hpp"
#include "swapchain.hpp"

namespace fencebridge::test {
namespace {

bool is_out_of_memory(VkResult result) {
    return result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
}

/// The parameter is the result of the failing call.
class HeadlessFailures : public DriverTest, public testing::WithParamInterface<VkResult> {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        const EnvironmentVariable refresh{"FENCEBRIDGE_HEADLESS_REFRESH", "1000"};
        instance_.emplace(InstanceRequest{.extensions = {"VK_KHR_surface", headless_extension}});
        device_.emplace(instance_->physical_device());
        ASSERT_EQ(device_->result(), VK_SUCCESS);
        surface_.emplace(*instance_);
        // Settles what the layer keeps of a surface.
        const Swapchain swapchain{*device_, *surface_};
        ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    }
    void TearDown() override {
        surface_.reset();
        device_.reset();
        instance_.reset();
        DriverTest::TearDown();
    }

    /// Calls `call()` once for each call to the driver that it makes, with that one failing, and
    /// then `check(result)`; at last without a failure.
    template <class Prepare, class Call, class Check>
    void fail_each(Prepare&& prepare, Call&& call, Check&& check) {
        for (uint32_t nth = 1;; ++nth) {
            prepare();
            const uint32_t before = fake_driver().injected_failures();
            fake_driver().fail_any_call(nth, GetParam());
            const VkResult result = call();
            fake_driver().clear_failures();
            const bool failed = fake_driver().injected_failures() > before;
            const testing::ScopedTrace trace{__FILE__, __LINE__,
                                             std::to_string(nth) + ": " +
                                                 (failed ? fake_driver().last_injected() : "none")};
            if (!failed) {
                EXPECT_EQ(result, VK_SUCCESS);
                EXPECT_GT(nth, 1U) << "it calls nothing that can fail";
            }
            check(result);
            if (!failed || HasFailure())
                return;
        }
    }

    std::optional<Instance> instance_;
    std::optional<Device> device_;
    std::optional<HeadlessSurface> surface_;
};

TEST_P(HeadlessFailures, OfVkCreateSwapchainAreReturnedAndLeakNothing) {
    const auto objects = driver_objects();
    const size_t descriptors = open_descriptors();
    std::optional<Swapchain> swapchain;
    fail_each([&] { swapchain.reset(); },
              [&] {
                  swapchain.emplace(*device_, *surface_);
                  return swapchain->result();
              },
              [&](VkResult result) {
                  if (result == VK_SUCCESS)
                      return;
                  EXPECT_EQ(result, GetParam());
                  EXPECT_EQ(driver_objects(), objects);
                  EXPECT_EQ(open_descriptors(), descriptors);
              });
    expect_frames(*device_, *swapchain);
}

TEST_P(HeadlessFailures, OfVkAcquireNextImageAreReturnedAndLoseNoImage) {
    const Swapchain swapchain{*device_, *surface_};
    std::optional<Frame> frame;
    fail_each([&] { frame.emplace(*device_); }, [&] { return frame->acquire(swapchain); },
              [&](VkResult result) {
                  if (result != VK_SUCCESS) {
                      EXPECT_TRUE(result == GetParam() ||
                                  (is_out_of_memory(result) && is_out_of_memory(GetParam())))
                          << result;
                      ASSERT_EQ(frame->acquire(swapchain), VK_SUCCESS);
                  }
                  EXPECT_EQ(frame->submit(), VK_SUCCESS);
                  EXPECT_EQ(frame->present(swapchain), VK_SUCCESS);
                  EXPECT_EQ(frame->finish(), VK_SUCCESS);
                  EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
                  expect_frames(*device_, swapchain);
              });
}

TEST_P(HeadlessFailures, OfVkQueuePresentAreWorkedAroundOrReturned) {
    std::optional<Swapchain> swapchain;
    std::optional<Frame> frame;
    fail_each(
        [&] {
            frame.reset();
            swapchain.reset();
            swapchain.emplace(*device_, *surface_);
            frame.emplace(*device_);
            EXPECT_EQ(frame->acquire(*swapchain), VK_SUCCESS);
            EXPECT_EQ(frame->submit(), VK_SUCCESS);
        },
        [&] { return frame->present(*swapchain); },
        [&](VkResult result) {
            EXPECT_EQ(frame->finish(), VK_SUCCESS);
            if (is_out_of_memory(result)) {
                // The application may repeat the call.
                EXPECT_EQ(frame->present(*swapchain), VK_SUCCESS);
            } else if (result != VK_SUCCESS) {
                EXPECT_EQ(result, VK_ERROR_DEVICE_LOST);
            }
            EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
            if (result != VK_ERROR_DEVICE_LOST)
                expect_frames(*device_, *swapchain);
        });
}

INSTANTIATE_TEST_SUITE_P(, HeadlessFailures,
                         testing::Values(VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY,
                                         VK_ERROR_DEVICE_LOST),
                         [](const auto& row) {
                             return row.param == VK_ERROR_OUT_OF_HOST_MEMORY ? "OutOfHostMemory"
                                    : row.param == VK_ERROR_OUT_OF_DEVICE_MEMORY
                                        ? "OutOfDeviceMemory"
                                        : "DeviceLost";
                         });

} // namespace
} // namespace fencebridge::test
