// SPDX-License-Identifier: MIT
// Invariant 7 on headless surfaces: every allocation that the layer makes in the calls below fails
// once. The call returns VK_ERROR_OUT_OF_HOST_MEMORY or succeeds without what it could not
// allocate, and the same call succeeds once memory is back.
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <optional>
#include <string>

#include "fixture.hpp"
#include "headless.hpp"
#include "swapchain.hpp"
#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

namespace {

// How many more allocations of the layer's succeed on this thread before one fails; negative: none
// fails.
thread_local long until_failure = -1;
thread_local bool failed = false;

bool fails(const void* caller) {
    Dl_info info;
    if (until_failure < 0 || dladdr(caller, &info) == 0 || info.dli_fname == nullptr ||
        std::strstr(info.dli_fname, "libVkLayer_FENCEBRIDGE") == nullptr || until_failure-- != 0)
        return false;
    failed = true;
    return true;
}

} // namespace

// The layer finds this function before that of the C library. Its operator new is in its own
// library, so the caller's address shows that an allocation is the layer's.
extern "C" {
void* __libc_malloc(size_t size) noexcept;
void* malloc(size_t size) noexcept {
    return fails(__builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}
}

namespace fencebridge::test {
namespace {

/// Calls `call()` once for each allocation that the layer makes in it, with that one failing, and
/// `again()` afterwards.
template <class Call, class Again>
void fail_each_allocation(Call&& call, Again&& again) {
    constexpr long many = 1000;
    long number = 0;
    for (; number < many; ++number) {
        SCOPED_TRACE("allocation " + std::to_string(number));
        failed = false;
        until_failure = number;
        const VkResult result = call();
        until_failure = -1;
        if (!failed)
            break;
        EXPECT_TRUE(result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_SUCCESS) << result;
        again();
        if (testing::Test::HasFailure())
            return;
    }
    EXPECT_GT(number, 0) << "nothing is allocated, or by other means";
    EXPECT_LT(number, many);
}

class HeadlessMemory : public DriverTest {
protected:
    void begin() {
        // So that each frame has a rendering fence.
        fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
        const EnvironmentVariable refresh{"FENCEBRIDGE_HEADLESS_REFRESH", "1000"};
        instance_.emplace(InstanceRequest{.extensions = {"VK_KHR_surface", headless_extension}});
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        device_.emplace(instance_->physical_device(),
                        DeviceRequest{.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                                     VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                                                     VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
                                                     VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
                                                     VK_EXT_PRESENT_TIMING_EXTENSION_NAME}});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
        surface_.emplace(*instance_);
    }
    void TearDown() override {
        surface_.reset();
        device_.reset();
        instance_.reset();
        DriverTest::TearDown();
    }

    static constexpr SwapchainRequest everything{.flags =
                                                     VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                                                     VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                                                     VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR};

    /// Presents with an id, and with a query of times; then waits for the present.
    VkResult present(const Swapchain& swapchain, Frame& frame) {
        const uint64_t id = ++last_id_;
        const VkPresentId2KHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
                                  .pNext = nullptr,
                                  .swapchainCount = 1,
                                  .pPresentIds = &id};
        const VkPresentTimingInfoEXT timing{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT,
                                            .pNext = nullptr,
                                            .flags = 0,
                                            .targetTime = 1,
                                            .timeDomainId = 0,
                                            .presentStageQueries =
                                                VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT,
                                            .targetTimeDomainPresentStage = 0};
        const VkPresentTimingsInfoEXT timings{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT,
                                              .pNext = &ids,
                                              .swapchainCount = 1,
                                              .pTimingInfos = &timing};
        return frame.present(swapchain, VK_NULL_HANDLE, &timings);
    }
    VkResult wait(const Swapchain& swapchain) {
        const VkPresentWait2InfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR,
                                         .pNext = nullptr,
                                         .presentId = last_id_,
                                         .timeout = patience_ns};
        return device_->function<PFN_vkWaitForPresent2KHR>("vkWaitForPresent2KHR")(
            *device_, swapchain, &info);
    }
    void set_size(const Swapchain& swapchain) {
        const auto set = device_->function<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
            "vkSetSwapchainPresentTimingQueueSizeEXT");
        ASSERT_EQ(set(*device_, swapchain, 1000), VK_SUCCESS);
    }
    /// Fails each allocation of a frame. An image is never lost, and a wait for it ends.
    void expect_frames(const Swapchain& swapchain) {
        set_size(swapchain);
        const auto frame = [&] {
            Frame objects{*device_};
            VkResult result = objects.acquire(swapchain);
            if (result != VK_SUCCESS)
                return result;
            const long left = std::exchange(until_failure, -1);
            EXPECT_EQ(objects.submit(), VK_SUCCESS);
            until_failure = left;
            result = present(swapchain, objects);
            until_failure = -1;
            if (result != VK_SUCCESS) {
                EXPECT_EQ(present(swapchain, objects), VK_SUCCESS);
            }
            EXPECT_EQ(objects.finish(), VK_SUCCESS);
            EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
            EXPECT_EQ(wait(swapchain), VK_SUCCESS);
            return result;
        };
        EXPECT_EQ(frame(), VK_SUCCESS);
        fail_each_allocation(frame, [&] { EXPECT_EQ(frame(), VK_SUCCESS); });
    }

    std::optional<Instance> instance_;
    std::optional<Device> device_;
    std::optional<HeadlessSurface> surface_;
    uint64_t last_id_{0};
};

TEST_F(HeadlessMemory, IsShortInVkCreateHeadlessSurface) {
    begin();
    const auto function = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(*instance_, "vkCreateHeadlessSurfaceEXT"));
    const VkHeadlessSurfaceCreateInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT, .pNext = nullptr, .flags = 0};
    const auto create = [&] {
        VkSurfaceKHR surface = VK_NULL_HANDLE;
        const VkResult result = function(*instance_, &info, nullptr, &surface);
        until_failure = -1;
        if (result == VK_SUCCESS)
            vkDestroySurfaceKHR(*instance_, surface, nullptr);
        return result;
    };
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

TEST_F(HeadlessMemory, IsShortInVkCreateSwapchain) {
    begin();
    const auto create = [&] { return Swapchain{*device_, *surface_, everything}.result(); };
    EXPECT_EQ(create(), VK_SUCCESS);
    fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
}

TEST_F(HeadlessMemory, IsShortInAFrame) {
    begin();
    const Swapchain swapchain{*device_, *surface_, everything};
    ASSERT_EQ(swapchain.result(), VK_SUCCESS);
    expect_frames(swapchain);
}

TEST_F(HeadlessMemory, IsShortInAFrameThatIsCaptured) {
    namespace fs = std::filesystem;
    std::string folder = (fs::temp_directory_path() / "fencebridge-memory-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    {
        const EnvironmentVariable capture{"FENCEBRIDGE_HEADLESS_CAPTURE", folder};
        const EnvironmentVariable every{"FENCEBRIDGE_HEADLESS_CAPTURE_EVERY", "1"};
        begin();
        const auto create = [&] { return Swapchain{*device_, *surface_, everything}.result(); };
        EXPECT_EQ(create(), VK_SUCCESS);
        fail_each_allocation(create, [&] { EXPECT_EQ(create(), VK_SUCCESS); });
        const Swapchain swapchain{*device_, *surface_, everything};
        ASSERT_EQ(swapchain.result(), VK_SUCCESS);
        expect_frames(swapchain);
    }
    EXPECT_FALSE(fs::is_empty(folder));
    fs::remove_all(folder);
}

} // namespace
} // namespace fencebridge::test
