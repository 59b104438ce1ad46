// SPDX-License-Identifier: MIT
// Frames on headless surfaces: the order and the times in which they are shown, and the timeouts of
// what waits for them. The times are judged by each other: all are times of one clock.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include <time.h>

#include "compositor/signal_times.hpp"
#include "fixture.hpp"
#include "headless.hpp"
#include "swapchain.hpp"
#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

namespace fencebridge::test {
namespace {

constexpr auto fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr auto mailbox = VK_PRESENT_MODE_MAILBOX_KHR;
constexpr auto immediate = VK_PRESENT_MODE_IMMEDIATE_KHR;
constexpr auto relaxed = VK_PRESENT_MODE_FIFO_RELAXED_KHR;
constexpr auto shared = VK_PRESENT_MODE_SHARED_DEMAND_REFRESH_KHR;
constexpr auto latest_ready = static_cast<VkPresentModeKHR>(1000361000);

constexpr VkPresentStageFlagsEXT pixel_out = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT;
constexpr VkPresentStageFlagsEXT visible = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT;

uint64_t now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return uint64_t(time.tv_sec) * 1'000'000'000 + uint64_t(time.tv_nsec);
}

/// Further ahead than any of these tests takes, and near enough to be obeyed.
uint64_t far_ahead() { return now() + 50'000'000'000; }

struct Shown {
    uint64_t id;
    uint64_t time; ///< 0: never
    bool operator==(const Shown&) const = default;
};

class HeadlessFrames : public DriverTest {
protected:
    void SetUp() override {
        DriverTest::SetUp();
        fake_driver().add_device_extension(0, VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME);
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        if (device_) {
            EXPECT_EQ(vkDeviceWaitIdle(*device_), VK_SUCCESS);
        }
        swapchain_.reset();
        surface_.reset();
        device_.reset();
        instance_.reset();
        DriverTest::TearDown();
    }

    void begin(const SwapchainRequest& request = {}, const char* refresh = "240") {
        const EnvironmentVariable rate{"FENCEBRIDGE_HEADLESS_REFRESH", refresh};
        instance_.emplace(
            InstanceRequest{.extensions = {"VK_KHR_surface", "VK_KHR_get_surface_capabilities2",
                                           "VK_EXT_surface_maintenance1",
                                           "VK_EXT_swapchain_colorspace", headless_extension}});
        ASSERT_EQ(instance_->result(), VK_SUCCESS);
        device_.emplace(
            instance_->physical_device(),
            DeviceRequest{.extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME,
                                         VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                                         VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME,
                                         VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
                                         VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
                                         VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME,
                                         VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME,
                                         VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
                                         VK_EXT_HDR_METADATA_EXTENSION_NAME,
                                         VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}});
        ASSERT_EQ(device_->result(), VK_SUCCESS);
        surface_.emplace(*instance_);
        make_swapchain(request);
    }
    void make_swapchain(SwapchainRequest request) {
        request.flags |= VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                         VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                         VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR;
        swapchain_.emplace(*device_, *surface_, request);
        ASSERT_EQ(swapchain_->result(), VK_SUCCESS);
        const auto set_size = device_->function<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
            "vkSetSwapchainPresentTimingQueueSizeEXT");
        ASSERT_EQ(set_size(*device_, *swapchain_, 200), VK_SUCCESS);
        next_id_ = 1;
    }

    /// Presents the frame's image with an id, from 1 on.
    VkResult present(Frame& frame, uint64_t target = 0, VkPresentTimingInfoFlagsEXT flags = 0,
                     std::optional<VkPresentModeKHR> mode = std::nullopt) {
        const VkSwapchainPresentModeInfoEXT modes{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
            .pNext = nullptr,
            .swapchainCount = 1,
            .pPresentModes = mode ? &*mode : nullptr};
        const uint64_t id = next_id_++;
        const VkPresentId2KHR ids{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
                                  .pNext = mode ? &modes : nullptr,
                                  .swapchainCount = 1,
                                  .pPresentIds = &id};
        const VkPresentTimingInfoEXT timing{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT,
                                            .pNext = nullptr,
                                            .flags = flags,
                                            .targetTime = target,
                                            .timeDomainId = 0,
                                            .presentStageQueries = pixel_out | visible,
                                            .targetTimeDomainPresentStage = pixel_out};
        const VkPresentTimingsInfoEXT timings{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT,
                                              .pNext = &ids,
                                              .swapchainCount = 1,
                                              .pTimingInfos = &timing};
        return frame.present(*swapchain_, VK_NULL_HANDLE, &timings);
    }
    /// A whole frame. Returns the first result that is not VK_SUCCESS.
    VkResult show(uint64_t timeout = patience_ns, uint64_t target = 0,
                  VkPresentTimingInfoFlagsEXT flags = 0,
                  std::optional<VkPresentModeKHR> mode = std::nullopt) {
        Frame frame{*device_};
        VkResult result = frame.acquire(*swapchain_, timeout);
        if (result == VK_SUCCESS)
            result = frame.submit();
        if (result == VK_SUCCESS)
            result = present(frame, target, flags, mode);
        if (result == VK_SUCCESS)
            result = frame.finish();
        // The layer may have submitted batches that use the semaphores, which are destroyed next.
        EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
        return result;
    }

    VkResult wait(uint64_t id, uint64_t timeout = patience_ns) const {
        const VkPresentWait2InfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR,
                                         .pNext = nullptr,
                                         .presentId = id,
                                         .timeout = timeout};
        return device_->function<PFN_vkWaitForPresent2KHR>("vkWaitForPresent2KHR")(
            *device_, *swapchain_, &info);
    }
    /// Waits for the last frame, and returns what is reported of all of them.
    std::vector<Shown> shown() {
        EXPECT_EQ(wait(next_id_ - 1), VK_SUCCESS);
        return reports();
    }
    std::vector<Shown> reports() {
        std::vector<std::array<VkPresentStageTimeEXT, 4>> times(200);
        std::vector<VkPastPresentationTimingEXT> all(200);
        for (size_t i = 0; i < all.size(); ++i) {
            all[i].sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
            all[i].presentStageCount = uint32_t(times[i].size());
            all[i].pPresentStages = times[i].data();
        }
        const VkPastPresentationTimingInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT,
            .pNext = nullptr,
            .flags = 0,
            .swapchain = *swapchain_};
        VkPastPresentationTimingPropertiesEXT properties{};
        properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
        properties.presentationTimingCount = uint32_t(all.size());
        properties.pPresentationTimings = all.data();
        const auto get =
            device_->function<PFN_vkGetPastPresentationTimingEXT>("vkGetPastPresentationTimingEXT");
        EXPECT_EQ(get(*device_, &info, &properties), VK_SUCCESS);
        std::vector<Shown> shown;
        for (uint32_t i = 0; i < properties.presentationTimingCount; ++i) {
            EXPECT_TRUE(all[i].reportComplete);
            EXPECT_EQ(all[i].presentStageCount, 2U);
            EXPECT_EQ(times[i][0].time, times[i][1].time) << "the refresh is one moment";
            shown.push_back({all[i].presentId, times[i][0].time});
        }
        return shown;
    }
    /// vkGetSwapchainTimingPropertiesEXT, once an image was shown.
    uint64_t period() {
        VkSwapchainTimingPropertiesEXT properties{};
        properties.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_TIMING_PROPERTIES_EXT;
        const auto get = device_->function<PFN_vkGetSwapchainTimingPropertiesEXT>(
            "vkGetSwapchainTimingPropertiesEXT");
        EXPECT_EQ(get(*device_, *swapchain_, &properties, nullptr), VK_SUCCESS);
        EXPECT_EQ(properties.refreshInterval, properties.refreshDuration) << "a constant rate";
        return properties.refreshDuration;
    }
    /// Calls `present(time)` with a time that is so far ahead that it returns before. The frames of
    /// vain attempts are shown, and forgotten.
    /// @return that time
    template <class Present>
    uint64_t present_before(Present&& present) {
        for (uint64_t lead = 100'000'000;; lead *= 2) {
            const uint64_t time = now() + lead;
            present(time);
            if (now() < time || HasFailure())
                return time;
            static_cast<void>(shown());
        }
    }
    /// Expects that all frames were shown, in their order, at refreshes.
    void expect_on_the_grid(const std::vector<Shown>& all) {
        const uint64_t refresh = period();
        for (size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(all[i].id, all[0].id + i);
            EXPECT_NE(all[i].time, 0U);
            EXPECT_EQ((all[i].time - all[0].time) % refresh, 0U) << "frame " << i;
            if (i > 0) {
                EXPECT_GE(all[i].time, all[i - 1].time + refresh) << "frame " << i;
            }
        }
    }

    std::optional<Instance> instance_;
    std::optional<Device> device_;
    std::optional<HeadlessSurface> surface_;
    std::optional<Swapchain> swapchain_;
    uint64_t next_id_{1};
};

TEST_F(HeadlessFrames, FifoShowsEachFrameAtARefreshOfItsOwn) {
    begin();
    for (int frame = 0; frame < 60; ++frame)
        ASSERT_EQ(show(), VK_SUCCESS) << "frame " << frame;
    const auto all = shown();
    EXPECT_EQ(period(), 4'166'667U) << "240 Hz";
    ASSERT_EQ(all.size(), 60U);
    expect_on_the_grid(all);
}

TEST_F(HeadlessFrames, FifoNeedsTwoImagesOnly) {
    begin({.min_images = 2});
    EXPECT_EQ(swapchain_->image_count(), 2U);
    for (int frame = 0; frame < 10; ++frame)
        ASSERT_EQ(show(UINT64_MAX), VK_SUCCESS) << "frame " << frame;
    expect_on_the_grid(shown());
}

TEST_F(HeadlessFrames, RelaxedFramesThatAreInTimeAreShownAtRefreshes) {
    begin({.mode = relaxed});
    for (int frame = 0; frame < 20; ++frame)
        ASSERT_EQ(show(), VK_SUCCESS) << "frame " << frame;
    const auto all = shown();
    ASSERT_EQ(all.size(), 20U);
    for (size_t i = 1; i < all.size(); ++i)
        EXPECT_GT(all[i].time, all[i - 1].time);
}

// The images are queued for a refresh that is far away.
TEST_F(HeadlessFrames, AcquireTimesOutWhileAllImagesAreQueued) {
    begin();
    for (uint32_t image = 0; image < swapchain_->image_count(); ++image)
        ASSERT_EQ(show(0, far_ahead()), VK_SUCCESS) << "a present does not wait";
    Frame frame{*device_};
    EXPECT_EQ(frame.acquire(*swapchain_, 0), VK_NOT_READY);
    EXPECT_EQ(frame.acquire(*swapchain_, 1'000'000), VK_TIMEOUT);
    EXPECT_EQ(wait(1, 0), VK_TIMEOUT);
    EXPECT_EQ(wait(1, 1'000'000), VK_TIMEOUT);
}

// The test holds no image back: with a timeout of 0, each acquire succeeds.
TEST_F(HeadlessFrames, MailboxAndImmediateNeverWait) {
    for (const VkPresentModeKHR mode : {mailbox, immediate}) {
        begin({.mode = mode, .min_images = 1}, "1");
        EXPECT_EQ(swapchain_->image_count(), mode == mailbox ? 3U : 2U);
        for (int frame = 0; frame < 100; ++frame)
            ASSERT_EQ(show(0), VK_SUCCESS) << "mode " << mode << ", frame " << frame;
        swapchain_.reset();
        surface_.reset();
        device_.reset();
        instance_.reset();
    }
}

TEST_F(HeadlessFrames, ImmediateShowsEachFrameAtItsPresent) {
    begin({.mode = immediate}, "1");
    std::vector<uint64_t> before;
    for (int frame = 0; frame < 10; ++frame) {
        before.push_back(now());
        ASSERT_EQ(show(), VK_SUCCESS);
    }
    const uint64_t after = now();
    const auto all = reports();
    ASSERT_EQ(all.size(), 10U);
    for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_GE(all[i].time, before[i]);
        EXPECT_LE(all[i].time, i + 1 < before.size() ? before[i + 1] : after);
    }
}

// Images of FIFO are queued first, so that no refresh comes in between.
TEST_F(HeadlessFrames, AnImageThatMailboxReplacesIsNeverShownAndItsWaitEnds) {
    constexpr std::array modes{fifo, mailbox};
    const VkSwapchainPresentModesCreateInfoEXT listed{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT,
        .pNext = nullptr,
        .presentModeCount = modes.size(),
        .pPresentModes = modes.data()};
    begin({.min_images = 4, .next = &listed}, "100");
    present_before([&](uint64_t time) {
        ASSERT_EQ(show(patience_ns, time, 0, fifo), VK_SUCCESS);
        ASSERT_EQ(show(patience_ns, 0, 0, mailbox), VK_SUCCESS);
        ASSERT_EQ(show(patience_ns, 0, 0, mailbox), VK_SUCCESS);
    });
    const auto all = shown();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_NE(all[0].time, 0U);
    EXPECT_EQ(all[1].time, 0U);
    EXPECT_EQ(all[2].time, all[0].time + 10'000'000);
}

TEST_F(HeadlessFrames, ATargetTimeIsObeyedToTheRefresh) {
    begin();
    const uint64_t target = present_before([&](uint64_t time) {
        ASSERT_EQ(show(patience_ns, time), VK_SUCCESS);
        // Half a refresh more than three.
        ASSERT_EQ(
            show(patience_ns, 14'583'334, VK_PRESENT_TIMING_INFO_PRESENT_AT_RELATIVE_TIME_BIT_EXT),
            VK_SUCCESS);
    });
    const auto all = shown();
    ASSERT_EQ(all.size(), 2U);
    expect_on_the_grid(all);
    EXPECT_GE(all[0].time, target);
    EXPECT_LT(all[0].time, target + period()) << "the first refresh after it";
    EXPECT_EQ(all[1].time, all[0].time + 4 * period());
}

TEST_F(HeadlessFrames, AWaitEndsAtTheRefreshOfItsFrame) {
    begin();
    for (uint64_t id = 1; id <= 5; ++id) {
        ASSERT_EQ(show(), VK_SUCCESS);
        ASSERT_EQ(wait(id), VK_SUCCESS);
        const uint64_t ended = now();
        const auto all = reports();
        ASSERT_EQ(all.size(), 1U) << "it is shown";
        EXPECT_LE(all[0].time, ended);
    }
}

TEST_F(HeadlessFrames, SeveralThreadsWaitForFramesThatArePresentedLater) {
    begin({.min_images = 4});
    std::array<VkResult, 8> results;
    results.fill(VK_NOT_READY);
    {
        std::vector<std::jthread> threads;
        for (size_t id = 1; id <= results.size(); ++id)
            threads.emplace_back([this, id, &results] { results[id - 1] = wait(id); });
        for (size_t frame = 0; frame < results.size(); ++frame)
            ASSERT_EQ(show(), VK_SUCCESS);
    }
    for (const VkResult result : results)
        EXPECT_EQ(result, VK_SUCCESS);
}

TEST_F(HeadlessFrames, OneThreadAcquiresWhileAnotherWaits) {
    begin({.min_images = 2});
    constexpr uint64_t frames = 30;
    std::jthread waiter([this] {
        for (uint64_t id = 1; id <= frames; ++id)
            EXPECT_EQ(wait(id), VK_SUCCESS);
    });
    for (uint64_t frame = 0; frame < frames; ++frame)
        ASSERT_EQ(show(), VK_SUCCESS);
}

// The fake driver's fences have no time of their own, so the test tells the layer one.
TEST_F(HeadlessFrames, AFifoFrameIsShownOnceItsRenderingHasEnded) {
    begin();
    const SignalTimes times;
    ASSERT_EQ(show(), VK_SUCCESS);
    const auto first = shown();
    ASSERT_EQ(first.size(), 1U);
    // The rendering ends a little after a refresh.
    fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
    const auto refresh_after = [&](uint64_t time) {
        return first[0].time + ((time - first[0].time) / period() + 1) * period();
    };
    const uint64_t time = present_before([&](uint64_t later) {
        signal_time = refresh_after(later) + 1;
        ASSERT_EQ(show(), VK_SUCCESS);
    });
    const auto second = shown();
    ASSERT_EQ(second.size(), 1U);
    EXPECT_GE(signal_time_calls, 1U);
    EXPECT_EQ(second[0].time, refresh_after(time) + period());
}

TEST_F(HeadlessFrames, DisplayTimingReportsTheRefreshes) {
    begin();
    const auto refresh =
        device_->function<PFN_vkGetRefreshCycleDurationGOOGLE>("vkGetRefreshCycleDurationGOOGLE");
    const auto past = device_->function<PFN_vkGetPastPresentationTimingGOOGLE>(
        "vkGetPastPresentationTimingGOOGLE");
    ASSERT_EQ(show(), VK_SUCCESS);
    const uint64_t first = shown().at(0).time;
    const uint64_t desired = first + 50 * period() - 10;
    const VkPresentTimeGOOGLE time{.presentID = 7, .desiredPresentTime = desired};
    const VkPresentTimesInfoGOOGLE info{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE,
                                        .pNext = nullptr,
                                        .swapchainCount = 1,
                                        .pTimes = &time};
    Frame frame{*device_};
    ASSERT_EQ(frame.acquire(*swapchain_), VK_SUCCESS);
    ASSERT_EQ(frame.submit(), VK_SUCCESS);
    ASSERT_EQ(frame.present(*swapchain_, VK_NULL_HANDLE, &info), VK_SUCCESS);
    ASSERT_EQ(frame.finish(), VK_SUCCESS);
    ASSERT_EQ(show(), VK_SUCCESS);
    ASSERT_EQ(wait(2), VK_SUCCESS);
    VkRefreshCycleDurationGOOGLE duration{};
    ASSERT_EQ(refresh(*device_, *swapchain_, &duration), VK_SUCCESS);
    EXPECT_EQ(duration.refreshDuration, period());
    uint32_t count = 1;
    VkPastPresentationTimingGOOGLE timing{};
    ASSERT_EQ(past(*device_, *swapchain_, &count, &timing), VK_SUCCESS);
    ASSERT_EQ(count, 1U);
    EXPECT_EQ(timing.presentID, 7U);
    EXPECT_EQ(timing.desiredPresentTime, desired);
    EXPECT_GE(timing.actualPresentTime, desired);
    EXPECT_EQ((timing.actualPresentTime - first) % period(), 0U);
}

TEST_F(HeadlessFrames, TheSurfaceTellsWhatItCanDo) {
    begin();
    const VkPhysicalDevice physical = instance_->physical_device();
    std::array<VkPresentModeKHR, 8> modes{};
    auto count = uint32_t(modes.size());
    ASSERT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(physical, *surface_, &count, modes.data()),
              VK_SUCCESS);
    std::vector<VkPresentModeKHR> expected{fifo, mailbox, immediate, relaxed};
#ifdef FAKE_COMPOSITOR_HAS_FIFO // a build with this protocol
    expected.push_back(latest_ready);
#endif
    expected.push_back(shared);
    EXPECT_EQ(std::vector(modes.begin(), modes.begin() + count), expected);

    VkPresentTimingSurfaceCapabilitiesEXT timing{};
    timing.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT;
    VkSurfaceCapabilities2KHR capabilities{.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
                                           .pNext = &timing,
                                           .surfaceCapabilities = {}};
    const VkPhysicalDeviceSurfaceInfo2KHR info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
        .pNext = nullptr,
        .surface = *surface_};
    const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        vkGetInstanceProcAddr(*instance_, "vkGetPhysicalDeviceSurfaceCapabilities2KHR"));
    ASSERT_EQ(get(physical, &info, &capabilities), VK_SUCCESS);
    EXPECT_EQ(capabilities.surfaceCapabilities.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(capabilities.surfaceCapabilities.minImageCount, 2U);
    EXPECT_TRUE(timing.presentTimingSupported);
    EXPECT_TRUE(timing.presentAtAbsoluteTimeSupported);
    EXPECT_TRUE(timing.presentAtRelativeTimeSupported);
    EXPECT_TRUE(timing.presentStageQueries & pixel_out);

    std::array<VkSurfaceFormatKHR, 64> formats{};
    count = uint32_t(formats.size());
    ASSERT_EQ(vkGetPhysicalDeviceSurfaceFormatsKHR(physical, *surface_, &count, formats.data()),
              VK_SUCCESS);
    for (const VkSurfaceFormatKHR& format : std::span{formats}.first(count))
        EXPECT_TRUE(format.colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR ||
                    format.colorSpace == VK_COLOR_SPACE_PASS_THROUGH_EXT);
}

TEST_F(HeadlessFrames, ASharedImageIsShownAtEachPresent) {
    begin({.mode = shared, .min_images = 1});
    EXPECT_EQ(swapchain_->image_count(), 1U);
    Frame first{*device_};
    ASSERT_EQ(first.acquire(*swapchain_), VK_SUCCESS);
    ASSERT_EQ(first.submit(), VK_SUCCESS);
    ASSERT_EQ(present(first), VK_SUCCESS);
    ASSERT_EQ(first.finish(), VK_SUCCESS);
    const auto before = shown();
    ASSERT_EQ(before.size(), 1U);
    EXPECT_NE(before[0].time, 0U);
    EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
}

TEST_F(HeadlessFrames, ASwapchainOfAnotherSizeReplacesOneWhoseImagesAreQueued) {
    begin();
    for (uint32_t step = 1; step <= 10; ++step) {
        ASSERT_EQ(show(), VK_SUCCESS);
        ASSERT_EQ(show(), VK_SUCCESS);
        Frame held{*device_};
        ASSERT_EQ(held.acquire(*swapchain_), VK_SUCCESS);
        ASSERT_EQ(held.submit(), VK_SUCCESS);
        ASSERT_EQ(held.finish(), VK_SUCCESS);
        const Swapchain next{
            *device_, *surface_,
            SwapchainRequest{.extent = {64 + step, 48 + step}, .old = *swapchain_}};
        ASSERT_EQ(next.result(), VK_SUCCESS);
        Frame frame{*device_};
        EXPECT_EQ(frame.acquire(*swapchain_), VK_ERROR_OUT_OF_DATE_KHR);
        swapchain_.reset();
        ASSERT_EQ(show_frame(*device_, next), VK_SUCCESS);
        make_swapchain({.old = next});
    }
}

TEST_F(HeadlessFrames, DamageAndMetadataAreAccepted) {
    begin();
    const VkRectLayerKHR rectangle{{1, 2}, {3, 4}, 0};
    const VkPresentRegionKHR region{1, &rectangle};
    const VkPresentRegionsKHR regions{VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, nullptr, 1, &region};
    VkHdrMetadataEXT metadata{};
    metadata.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT;
    const VkSwapchainKHR handle = *swapchain_;
    device_->function<PFN_vkSetHdrMetadataEXT>("vkSetHdrMetadataEXT")(*device_, 1, &handle,
                                                                      &metadata);
    Frame frame{*device_};
    ASSERT_EQ(frame.acquire(*swapchain_), VK_SUCCESS);
    ASSERT_EQ(frame.submit(), VK_SUCCESS);
    EXPECT_EQ(frame.present(*swapchain_, VK_NULL_HANDLE, &regions), VK_SUCCESS);
    EXPECT_EQ(frame.finish(), VK_SUCCESS);
    EXPECT_EQ(vkQueueWaitIdle(device_->queue()), VK_SUCCESS);
}

} // namespace
} // namespace fencebridge::test
