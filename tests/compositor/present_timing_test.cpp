// SPDX-License-Identifier: MIT
// VK_EXT_present_timing: when images are to be shown, and when they were.
#include "fixture.hpp"
#include "signal_times.hpp"
#include "skipped_waits.hpp"

#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace fencebridge::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr VkPresentStageFlagsEXT queue_end = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT;
constexpr VkPresentStageFlagsEXT dequeued = VK_PRESENT_STAGE_REQUEST_DEQUEUED_BIT_EXT;
constexpr VkPresentStageFlagsEXT pixel_out = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT;
constexpr VkPresentStageFlagsEXT visible = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT;
constexpr VkPastPresentationTimingFlagsEXT partial =
    VK_PAST_PRESENTATION_TIMING_ALLOW_PARTIAL_RESULTS_BIT_EXT;
constexpr VkPastPresentationTimingFlagsEXT any_order =
    VK_PAST_PRESENTATION_TIMING_ALLOW_OUT_OF_ORDER_RESULTS_BIT_EXT;
constexpr uint64_t stage_local = 0; // the id of its time domain

uint64_t now_on(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

constexpr uint64_t ns(nanoseconds duration) { return uint64_t(duration.count()); }

// A build without commit-timing-v1 has no use for it.
[[maybe_unused]] TargetTime target_time(uint64_t time) {
    return {time / 1'000'000'000, uint32_t(time % 1'000'000'000)};
}

using StageTimes = std::vector<std::pair<VkPresentStageFlagsEXT, uint64_t>>;

struct Report {
    uint64_t id;
    uint64_t target;
    VkTimeDomainKHR domain;
    uint64_t domain_id;
    bool complete;
    StageTimes stages;
};

std::vector<uint64_t> ids(const std::vector<Report>& reports) {
    std::vector<uint64_t> all;
    for (const Report& report : reports)
        all.push_back(report.id);
    return all;
}
using Ids = std::vector<uint64_t>;

Script with_presentation(Globals globals = {}) {
    globals.presentation = 2;
    globals.commit_timing = 1; // left out where the build does not have it
    return {.globals = globals, .discard_superseded = false};
}

class PresentTiming : public CompositorTest {
protected:
    static std::vector<const char*> extensions() {
        return {VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME, VK_EXT_PRESENT_TIMING_EXTENSION_NAME,
                VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME};
    }

    void begin(const Script& script = with_presentation(),
               VkPresentModeKHR mode = VK_PRESENT_MODE_MAILBOX_KHR) {
        connect(script);
        swapchain_ = make_swapchain(mode);
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
        ASSERT_EQ(set_size(16), VK_SUCCESS);
    }
    void connect(const Script& script) {
        client_.emplace(start(script).connect(), InstanceOptions{}, extensions());
    }
    void TearDown() override {
        fake_driver().hold_rendering(VK_FALSE);
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        CompositorTest::TearDown();
    }

    Swapchain make_swapchain(VkPresentModeKHR mode, VkSwapchainKHR old = VK_NULL_HANDLE,
                             uint32_t images = 0) {
        return client_->swapchain({.mode = mode,
                                   .min_images = images,
                                   .old = old,
                                   .flags = VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                                            VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR});
    }

    template <class Function>
    Function find(const char* name) {
        const auto function =
            reinterpret_cast<Function>(vkGetDeviceProcAddr(client_->device, name));
        EXPECT_NE(function, nullptr) << name;
        return function;
    }

    VkPresentTimingSurfaceCapabilitiesEXT capabilities() {
        VkPresentTimingSurfaceCapabilitiesEXT can{
            .sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT,
            .pNext = nullptr,
            .presentTimingSupported = 7,
            .presentAtAbsoluteTimeSupported = 7,
            .presentAtRelativeTimeSupported = 7,
            .presentStageQueries = 0};
        query_capabilities(client_->instance, client_->device, client_->surface, &can);
        return can;
    }

    std::vector<VkTimeDomainKHR> time_domains(VkResult expected = VK_SUCCESS) {
        const auto get = reinterpret_cast<PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR>(
            vkGetInstanceProcAddr(client_->instance,
                                  "vkGetPhysicalDeviceCalibrateableTimeDomainsKHR"));
        std::vector<VkTimeDomainKHR> domains(8);
        auto count = uint32_t(domains.size());
        EXPECT_EQ(get(client_->device.physical, &count, domains.data()), expected);
        domains.resize(count);
        return domains;
    }

    VkResult set_size(uint32_t size) { return set_size(swapchain_, size); }
    VkResult set_size(const Swapchain& swapchain, uint32_t size) {
        return find<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
            "vkSetSwapchainPresentTimingQueueSizeEXT")(client_->device, swapchain, size);
    }

    struct Wish {
        VkPresentStageFlagsEXT stages = 0;
        uint64_t target = 0;
        VkPresentTimingInfoFlagsEXT flags = 0;
        uint64_t domain = stage_local;
        uint64_t id = 0;
        const void* chain = nullptr;
    };
    // Presents an image that was acquired.
    VkResult present(const Swapchain& swapchain, uint32_t index, const Wish& wish,
                     std::vector<VkSemaphore> wait = {}) {
        const VkPresentTimingInfoEXT timing{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT,
                                            .pNext = nullptr,
                                            .flags = wish.flags,
                                            .targetTime = wish.target,
                                            .timeDomainId = wish.domain,
                                            .presentStageQueries = wish.stages,
                                            .targetTimeDomainPresentStage = visible};
        const VkPresentId2KHR id{.sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
                                 .pNext = wish.chain,
                                 .swapchainCount = 1,
                                 .pPresentIds = &wish.id};
        const VkPresentTimingsInfoEXT timings{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT,
                                              .pNext = &id,
                                              .swapchainCount = 1,
                                              .pTimingInfos = &timing};
        return test::present(client_->device.queue, swapchain, index, std::move(wait), &timings);
    }
    // Acquires an image and presents it, without rendering to it.
    VkResult present(const Wish& wish) { return present(swapchain_, wish); }
    VkResult present(const Swapchain& swapchain, const Wish& wish) {
        const auto [result, index] = client_->acquire(swapchain);
        EXPECT_EQ(result, VK_SUCCESS);
        const VkResult presented = present(swapchain, index, wish);
        compositor_->settle();
        return presented;
    }

    VkResult query(const Swapchain& swapchain, VkPastPresentationTimingFlagsEXT flags,
                   VkPastPresentationTimingPropertiesEXT& properties) {
        const VkPastPresentationTimingInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT,
            .pNext = nullptr,
            .flags = flags,
            .swapchain = swapchain};
        return find<PFN_vkGetPastPresentationTimingEXT>("vkGetPastPresentationTimingEXT")(
            client_->device, &info, &properties);
    }
    uint32_t count(VkPastPresentationTimingFlagsEXT flags = 0) {
        VkPastPresentationTimingPropertiesEXT properties{};
        properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
        EXPECT_EQ(query(swapchain_, flags, properties), VK_SUCCESS);
        return properties.presentationTimingCount;
    }
    std::vector<Report> past(VkPastPresentationTimingFlagsEXT flags = 0, uint32_t room = 16,
                             VkResult expected = VK_SUCCESS) {
        return past(swapchain_, flags, room, expected);
    }
    std::vector<Report> past(const Swapchain& swapchain, VkPastPresentationTimingFlagsEXT flags = 0,
                             uint32_t room = 16, VkResult expected = VK_SUCCESS) {
        std::vector<std::array<VkPresentStageTimeEXT, 4>> stages(room);
        std::vector<VkPastPresentationTimingEXT> timings(room);
        for (size_t i = 0; i < room; ++i) {
            timings[i].sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
            timings[i].presentStageCount = uint32_t(stages[i].size());
            timings[i].pPresentStages = stages[i].data();
        }
        VkPastPresentationTimingPropertiesEXT properties{};
        properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
        properties.presentationTimingCount = room;
        properties.pPresentationTimings = timings.data();
        EXPECT_EQ(query(swapchain, flags, properties), expected);
        properties_counter_ = properties.timingPropertiesCounter;
        domains_counter_ = properties.timeDomainsCounter;
        std::vector<Report> reports;
        for (uint32_t i = 0; i < properties.presentationTimingCount; ++i) {
            const VkPastPresentationTimingEXT& from = timings[i];
            Report report{from.presentId,    from.targetTime,       from.timeDomain,
                          from.timeDomainId, !!from.reportComplete, {}};
            for (uint32_t j = 0; j < from.presentStageCount; ++j)
                report.stages.emplace_back(from.pPresentStages[j].stage,
                                           from.pPresentStages[j].time);
            reports.push_back(report);
        }
        return reports;
    }

    struct Properties {
        VkResult result;
        uint64_t duration;
        uint64_t interval;
        uint64_t counter;
    };
    Properties properties() {
        VkSwapchainTimingPropertiesEXT answer{.sType =
                                                  VK_STRUCTURE_TYPE_SWAPCHAIN_TIMING_PROPERTIES_EXT,
                                              .pNext = nullptr,
                                              .refreshDuration = 7,
                                              .refreshInterval = 7};
        uint64_t counter = 7;
        const auto function =
            find<PFN_vkGetSwapchainTimingPropertiesEXT>("vkGetSwapchainTimingPropertiesEXT");
        const VkResult result = function(client_->device, swapchain_, &answer, &counter);
        EXPECT_EQ(function(client_->device, swapchain_, &answer, nullptr), result);
        return {result, answer.refreshDuration, answer.refreshInterval, counter};
    }

    std::optional<Client> client_;
    Swapchain swapchain_;
    uint64_t properties_counter_ = 0; // of the last past()
    uint64_t domains_counter_ = 0;
};

// --- what a surface can do ---

TEST_F(PresentTiming, ASurfaceReportsWhenImagesAreShown) {
    connect(with_presentation());
    const auto can = capabilities();
    EXPECT_EQ(can.presentTimingSupported, VK_TRUE);
    EXPECT_EQ(can.presentStageQueries, queue_end | pixel_out | visible);
}

TEST_F(PresentTiming, WithoutReportsOnlyTheQueueIsTimed) {
    connect({});
    const auto can = capabilities();
    EXPECT_EQ(can.presentTimingSupported, VK_TRUE);
    EXPECT_EQ(can.presentAtAbsoluteTimeSupported, VK_FALSE);
    EXPECT_EQ(can.presentAtRelativeTimeSupported, VK_FALSE);
    EXPECT_EQ(can.presentStageQueries, queue_end);
}

TEST_F(PresentTiming, AClockThatCannotBeReadIsNoClock) {
    Script script = with_presentation();
    script.presentation_clock = CLOCK_PROCESS_CPUTIME_ID;
    connect(script);
    EXPECT_EQ(capabilities().presentStageQueries, queue_end);
    EXPECT_EQ(capabilities().presentAtAbsoluteTimeSupported, VK_FALSE);
}

// --- the results queue ---

TEST_F(PresentTiming, WithoutASlotAPresentFails) {
    begin();
    ASSERT_EQ(set_size(0), VK_SUCCESS);
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(present(swapchain_, index, {.stages = queue_end}),
              VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    EXPECT_EQ(compositor_->commits(), 0u);
    EXPECT_EQ(present(swapchain_, index, {}), VK_SUCCESS) << "the image is still acquired";
    EXPECT_EQ(compositor_->commits(), 1u);
}

TEST_F(PresentTiming, AQueueOfMoreThanAMillionResultsIsOutOfMemory) {
    begin();
    EXPECT_EQ(set_size((1 << 20) + 1), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(set_size(1 << 20), VK_SUCCESS);
}

TEST_F(PresentTiming, ASlotIsInUseUntilItsReportIsTaken) {
    begin();
    ASSERT_EQ(set_size(2), VK_SUCCESS);
    ASSERT_EQ(present({.stages = queue_end, .id = 1}), VK_SUCCESS);
    ASSERT_EQ(present({.id = 2}), VK_SUCCESS);
    ASSERT_EQ(present({.stages = queue_end, .id = 3}), VK_SUCCESS);
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    EXPECT_EQ(present(swapchain_, index, {.stages = visible}),
              VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    EXPECT_EQ(set_size(1), VK_NOT_READY);
    EXPECT_EQ(ids(past()), (Ids{1, 3})) << "those with queries";
    EXPECT_EQ(set_size(1), VK_SUCCESS);
    EXPECT_EQ(present(swapchain_, index, {.stages = visible}), VK_SUCCESS);
}

TEST_F(PresentTiming, AFailedPresentUsesNoSlot) {
    begin();
    ASSERT_EQ(set_size(1), VK_SUCCESS);
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    compositor_->disconnect_clients();
    EXPECT_EQ(present(swapchain_, index, {.stages = visible}), VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(set_size(0), VK_SUCCESS);
    VkPastPresentationTimingPropertiesEXT properties{};
    EXPECT_EQ(query(swapchain_, 0, properties), VK_ERROR_SURFACE_LOST_KHR);
    EXPECT_EQ(this->properties().result, VK_ERROR_SURFACE_LOST_KHR);
}

// Invariant 3. The semaphores of the failed present were waited for, and those of the next one are
// others.
TEST_F(PresentTiming, APresentWithoutASlotStillOrdersTheRenderingBeforeTheNext) {
    begin();
    ASSERT_EQ(set_size(0), VK_SUCCESS);
    fake_driver().hold_rendering(VK_TRUE);
    const auto rendered = make_semaphore(client_->device);
    const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
    ASSERT_EQ(present(swapchain_, index, {.stages = queue_end}, {rendered}),
              VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    const SkippedWaits skipped;
    bool waited = false;
    before_endless_wait = [&] {
        waited = true;
        EXPECT_EQ(compositor_->commits(), 0u);
        fake_driver().hold_rendering(VK_FALSE);
    };
    // On a queue whose own work does not wait for that rendering.
    EXPECT_EQ(test::present(client_->device.other_queue, swapchain_, index), VK_SUCCESS);
    EXPECT_TRUE(waited);
    EXPECT_EQ(compositor_->commits(), 1u);
}

// The application may then destroy the semaphores: they were waited for.
class PresentFences : public PresentTiming {
protected:
    // Presents without a slot, with a fence, which signals only when the rendering has ended.
    // @return whether the present waited for that
    bool present_without_a_slot() {
        begin();
        EXPECT_EQ(set_size(0), VK_SUCCESS);
        const Owned<VkFence> fence = make_fence(client_->device);
        const VkFence handle = fence;
        const VkSwapchainPresentFenceInfoEXT fences{
            VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT, nullptr, 1, &handle};
        fake_driver().hold_rendering(VK_TRUE);
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
        bool waited = false;
        {
            const SkippedWaits skipped;
            before_endless_wait = [&] {
                waited = true;
                EXPECT_EQ(vkGetFenceStatus(client_->device, fence), VK_NOT_READY);
                fake_driver().hold_rendering(VK_FALSE);
            };
            EXPECT_EQ(
                present(swapchain_, index, {.stages = queue_end, .chain = &fences}, {rendered}),
                VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
        }
        EXPECT_EQ(vkGetFenceStatus(client_->device, fence), waited ? VK_SUCCESS : VK_NOT_READY);
        fake_driver().hold_rendering(VK_FALSE);
        EXPECT_TRUE(wait_and_reset(client_->device, fence));
        return waited;
    }
};

TEST_F(PresentFences, SignalAlsoWithoutASlot) { EXPECT_FALSE(present_without_a_slot()); }

TEST_F(PresentFences, SignalWithoutASlotIfTheDriverCannotImport) {
    fake_driver().set_sync_fd_features(0, VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT,
                                       VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT);
    fake_driver().set_queue_count(0, 3);
    EXPECT_TRUE(present_without_a_slot());
}

TEST_F(PresentTiming, OneSwapchainWithoutASlotDoesNotKeepTheOtherFromItsPresent) {
    begin();
    SecondWindow second(*client_);
    const Swapchain other(client_->device, second.surface,
                          {.flags = VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT});
    ASSERT_EQ(other.result, VK_SUCCESS);
    const std::array swapchains{swapchain_.handle.get(), other.handle.get()};
    const std::array images{client_->acquire(swapchain_).index, client_->acquire(other).index};
    std::array<VkPresentTimingInfoEXT, 2> timing{};
    for (auto& each : timing)
        each = {.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT,
                .presentStageQueries = queue_end};
    const VkPresentTimingsInfoEXT timings{.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT,
                                          .pNext = nullptr,
                                          .swapchainCount = 2,
                                          .pTimingInfos = timing.data()};
    std::array<VkResult, 2> results{};
    const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                .pNext = &timings,
                                .waitSemaphoreCount = 0,
                                .pWaitSemaphores = nullptr,
                                .swapchainCount = 2,
                                .pSwapchains = swapchains.data(),
                                .pImageIndices = images.data(),
                                .pResults = results.data()};
    EXPECT_EQ(vkQueuePresentKHR(client_->device.queue, &info),
              VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    EXPECT_EQ(results[0], VK_SUCCESS);
    EXPECT_EQ(results[1], VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    EXPECT_EQ(compositor_->commits(), 1u);
}

TEST_F(PresentTiming, ASwapchainWithoutTheFlagHasNoTimes) {
    connect(with_presentation());
    swapchain_ = client_->swapchain();
    ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    EXPECT_EQ(set_size(1), VK_ERROR_VALIDATION_FAILED_EXT);
    EXPECT_EQ(present({.stages = queue_end}), VK_SUCCESS) << "the structure is ignored";
    EXPECT_EQ(compositor_->requests("wp_presentation", "feedback"), 0u);
    EXPECT_EQ(properties().result, VK_ERROR_VALIDATION_FAILED_EXT);
    VkPastPresentationTimingPropertiesEXT none{};
    EXPECT_EQ(query(swapchain_, 0, none), VK_ERROR_VALIDATION_FAILED_EXT);
}

// --- reports ---

TEST_F(PresentTiming, AReportHasTheCompositorsTime) {
    begin();
    ASSERT_EQ(present({.stages = pixel_out | visible, .domain = 1, .id = 9}), VK_SUCCESS);
    EXPECT_EQ(count(), 0u);
    ASSERT_TRUE(compositor_->present(0, {.time = 0x1'0000'0002s + 999'999'999ns}));
    EXPECT_EQ(count(), 1u) << "nothing else has read the socket";
    const auto reports = past();
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].id, 9u);
    EXPECT_EQ(reports[0].target, 0u);
    EXPECT_EQ(reports[0].domain, VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT);
    EXPECT_EQ(reports[0].domain_id, 1u);
    EXPECT_TRUE(reports[0].complete);
    const uint64_t time = 0x1'0000'0002 * 1'000'000'000 + 999'999'999;
    EXPECT_EQ(reports[0].stages, (StageTimes{{pixel_out, time}, {visible, time}}));
    EXPECT_EQ(count(), 0u) << "each is reported once";
}

TEST_F(PresentTiming, AnImageThatIsNeverShownHasNoTimes) {
    begin();
    ASSERT_EQ(present({.stages = pixel_out}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->discard(0));
    const auto reports = past();
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_TRUE(reports[0].complete);
    EXPECT_EQ(reports[0].stages, (StageTimes{{pixel_out, 0}}));
}

TEST_F(PresentTiming, StagesThatTheSurfaceDoesNotHaveHaveNoTimes) {
    begin(Script{});
    ASSERT_EQ(present({.stages = dequeued | pixel_out | visible}), VK_SUCCESS);
    const auto reports = past();
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_TRUE(reports[0].complete);
    EXPECT_EQ(reports[0].stages, (StageTimes{{dequeued, 0}, {pixel_out, 0}, {visible, 0}}));
}

TEST_F(PresentTiming, AnUnknownTimeDomainBecomesTheStagesOwn) {
    begin();
    ASSERT_EQ(present({.stages = queue_end, .domain = 98}), VK_SUCCESS);
    const auto reports = past();
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].domain, VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT);
    EXPECT_EQ(reports[0].domain_id, stage_local);
}

TEST_F(PresentTiming, ReportsComeInOrderUnlessTheApplicationAllowsAnother) {
    begin();
    for (uint64_t id : {1, 2, 3})
        ASSERT_EQ(present({.stages = visible, .id = id}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->discard(1));
    EXPECT_EQ(count(), 0u);
    EXPECT_EQ(count(any_order), 1u);
    EXPECT_EQ(ids(past(any_order)), Ids{2});
    ASSERT_TRUE(compositor_->present(2));
    EXPECT_EQ(ids(past()), Ids{});
    ASSERT_TRUE(compositor_->present(0));
    EXPECT_EQ(ids(past()), (Ids{1, 3}));
}

TEST_F(PresentTiming, AReportMayBePartialIfTheApplicationAllowsIt) {
    begin();
    ASSERT_EQ(present({.stages = queue_end | visible, .id = 5}), VK_SUCCESS);
    EXPECT_EQ(count(), 0u);
    EXPECT_EQ(count(partial), 1u);
    for (int i = 0; i < 2; ++i) {
        const auto reports = past(partial);
        ASSERT_EQ(reports.size(), 1u) << "repeated until it is complete";
        EXPECT_EQ(reports[0].id, 5u);
        EXPECT_FALSE(reports[0].complete);
        ASSERT_EQ(reports[0].stages.size(), 1u);
        EXPECT_EQ(reports[0].stages[0].first, queue_end);
    }
    ASSERT_TRUE(compositor_->present(0, {.time = 5s}));
    const auto reports = past(partial);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_TRUE(reports[0].complete);
    ASSERT_EQ(reports[0].stages.size(), 2u);
    EXPECT_EQ(reports[0].stages[1], (std::pair{visible, ns(5s)}));
}

TEST_F(PresentTiming, ReportsThatDoNotFitStay) {
    begin();
    for (uint64_t id : {1, 2, 3})
        ASSERT_EQ(present({.stages = queue_end, .id = id}), VK_SUCCESS);
    EXPECT_EQ(count(), 3u);
    EXPECT_EQ(ids(past(0, 2, VK_INCOMPLETE)), (Ids{1, 2}));
    EXPECT_EQ(ids(past(0, 2)), Ids{3});
}

TEST_F(PresentTiming, ARetiredSwapchainStillReports) {
    begin();
    ASSERT_EQ(present({.stages = visible, .id = 1}), VK_SUCCESS);
    Swapchain next = make_swapchain(VK_PRESENT_MODE_MAILBOX_KHR, swapchain_);
    ASSERT_EQ(next.result, VK_SUCCESS);
    ASSERT_EQ(set_size(next, 1), VK_SUCCESS);
    ASSERT_EQ(present(next, {.stages = visible, .id = 1}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(1, {.time = 2s}));
    ASSERT_TRUE(compositor_->present(0, {.time = 1s}));
    EXPECT_EQ(past(swapchain_).at(0).stages, (StageTimes{{visible, ns(1s)}}));
    EXPECT_EQ(past(next).at(0).stages, (StageTimes{{visible, ns(2s)}}));
}

// --- the end of the queue operations ---

TEST_F(PresentTiming, WithoutRenderingTheQueueOperationsEndWithThePresent) {
    begin();
    const SignalTimes times;
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(present({.stages = queue_end}), VK_SUCCESS);
    const uint64_t after = now_on(CLOCK_MONOTONIC);
    const auto reports = past();
    ASSERT_EQ(reports.size(), 1u);
    ASSERT_EQ(reports[0].stages.size(), 1u);
    EXPECT_GE(reports[0].stages[0].second, before);
    EXPECT_LE(reports[0].stages[0].second, after);
    EXPECT_EQ(signal_time_calls, 0u);
}

class RenderingTimes : public PresentTiming {
protected:
    // Presents while the rendering is held. The transport `cpu` waits for it: it ends then.
    void present_rendering(const Wish& wish) {
        fake_driver().hold_rendering(VK_TRUE);
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
        const SkippedWaits skipped;
        before_endless_wait = [] { fake_driver().hold_rendering(VK_FALSE); };
        ASSERT_EQ(present(swapchain_, index, wish, {rendered}), VK_SUCCESS);
        ASSERT_EQ(fake_driver().held_batches(), 0u);
    }
};

TEST_F(RenderingTimes, AreTheKernels) {
    begin();
    const SignalTimes times(now_on(CLOCK_MONOTONIC) + ns(1h));
    present_rendering({.stages = queue_end});
    EXPECT_EQ(past().at(0).stages, (StageTimes{{queue_end, signal_time}}));
}

TEST_F(RenderingTimes, ARenderingThatEndedBeforeThePresentEndsWithIt) {
    begin();
    const SignalTimes times(1);
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    present_rendering({.stages = queue_end});
    EXPECT_GE(past().at(0).stages.at(0).second, before);
}

TEST_F(RenderingTimes, ATimeThatTheKernelDoesNotKnowIsNone) {
    begin();
    const SignalTimes times(0);
    present_rendering({.stages = queue_end});
    EXPECT_EQ(past().at(0).stages, (StageTimes{{queue_end, 0}}));
}

TEST_F(RenderingTimes, AKernelThatCannotTellTheTimeEndsTheReport) {
    begin();
    const SignalTimes times;
    signal_time_error = ENOTTY;
    present_rendering({.stages = queue_end});
    EXPECT_EQ(past().at(0).stages, (StageTimes{{queue_end, 0}}));
}

TEST_F(RenderingTimes, AShortageOfMemoryDelaysTheReport) {
    begin();
    const SignalTimes times(now_on(CLOCK_MONOTONIC) + ns(1h));
    signal_time_error = ENOMEM;
    present_rendering({.stages = queue_end});
    EXPECT_EQ(count(), 0u);
    signal_time_error = 0;
    EXPECT_EQ(past().at(0).stages, (StageTimes{{queue_end, signal_time}}));
}

// Each report is returned once, whichever thread finds out that the rendering has ended.
TEST_F(RenderingTimes, ThreadsThatAskAtTheSameTimeShareTheReports) {
    constexpr size_t frames = 64;
    begin();
    ASSERT_EQ(set_size(frames), VK_SUCCESS);
    fake_driver().set_export_signalled_as_minus_one(VK_FALSE);
    const SignalTimes times(1);
    std::atomic<size_t> taken = 0;
    const auto take = [&] {
        while (taken < frames) {
            std::array<VkPresentStageTimeEXT, 4> stages{};
            VkPastPresentationTimingEXT timing{};
            timing.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
            timing.pPresentStages = stages.data();
            VkPastPresentationTimingPropertiesEXT properties{};
            properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
            properties.presentationTimingCount = 1;
            properties.pPresentationTimings = &timing;
            EXPECT_GE(query(swapchain_, any_order, properties), 0);
            taken += properties.presentationTimingCount;
        }
    };
    std::thread one(take);
    std::thread other(take);
    for (size_t i = 0; i < frames; ++i) {
        const auto rendered = make_semaphore(client_->device);
        const uint32_t index = client_->acquire_and_render(swapchain_, rendered);
        EXPECT_EQ(present(swapchain_, index, {.stages = queue_end, .id = i + 1}, {rendered}),
                  VK_SUCCESS);
        vkDeviceWaitIdle(client_->device);
    }
    one.join();
    other.join();
    EXPECT_EQ(taken, frames);
    EXPECT_EQ(count(any_order), 0u);
}

// CLOCK_MONOTONIC_RAW is that of Weston without a display.
TEST_F(RenderingTimes, AreOnTheCompositorsClock) {
    Script script = with_presentation();
    script.presentation_clock = CLOCK_MONOTONIC_RAW;
    begin(script);
    const SignalTimes times(now_on(CLOCK_MONOTONIC) + ns(1h));
    const uint64_t before = now_on(CLOCK_MONOTONIC_RAW);
    present_rendering({.stages = queue_end, .domain = 2});
    const auto reports = past();
    const uint64_t after = now_on(CLOCK_MONOTONIC_RAW);
    EXPECT_EQ(reports.at(0).domain, VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR);
    // The clocks drift apart by less than a millisecond meanwhile.
    EXPECT_GT(reports.at(0).stages.at(0).second, before + ns(1h - 1s));
    EXPECT_LT(reports.at(0).stages.at(0).second, after + ns(1h + 1s));
}

// --- targets ---

#ifdef FAKE_COMPOSITOR_HAS_COMMIT_TIMING
constexpr VkPresentModeKHR fifo = VK_PRESENT_MODE_FIFO_KHR;
constexpr VkPresentTimingInfoFlagsEXT relative =
    VK_PRESENT_TIMING_INFO_PRESENT_AT_RELATIVE_TIME_BIT_EXT;
constexpr VkPresentTimingInfoFlagsEXT nearest =
    VK_PRESENT_TIMING_INFO_PRESENT_AT_NEAREST_REFRESH_CYCLE_BIT_EXT;

TEST_F(PresentTiming, WithCommitTimingASurfacePresentsAtTimes) {
    connect(with_presentation());
    EXPECT_EQ(capabilities().presentAtAbsoluteTimeSupported, VK_TRUE);
    EXPECT_EQ(capabilities().presentAtRelativeTimeSupported, VK_TRUE);
}

TEST_F(PresentTiming, WithoutPresentationThereIsNoClockForTargets) {
    connect({.globals = {.commit_timing = 1}});
    EXPECT_EQ(capabilities().presentAtAbsoluteTimeSupported, VK_FALSE);
    EXPECT_EQ(capabilities().presentAtRelativeTimeSupported, VK_FALSE);
}

TEST_F(PresentTiming, TheSettingAvoidMakesNoTimer) {
    setenv("FENCEBRIDGE_AVOID", "commit-timing-v1", 1);
    begin(with_presentation(), fifo);
    unsetenv("FENCEBRIDGE_AVOID");
    EXPECT_EQ(capabilities().presentAtAbsoluteTimeSupported, VK_FALSE);
    ASSERT_EQ(present({.target = 5}), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_commit_timing_manager_v1", "get_timer"), 0u);
}

TEST_F(PresentTiming, AnAbsoluteTargetIsTheTimeOfTheCommit) {
    begin(with_presentation(), fifo);
    const uint64_t target = now_on(CLOCK_MONOTONIC) + ns(10ms);
    ASSERT_EQ(present({.stages = queue_end, .target = target}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, target_time(target));
    EXPECT_EQ(past().at(0).target, target);
}

TEST_F(PresentTiming, TheNearestCycleStartsHalfARefreshEarlier) {
    begin(with_presentation(), fifo);
    const uint64_t target = now_on(CLOCK_MONOTONIC) + ns(50ms);
    ASSERT_EQ(present({.target = target, .flags = nearest}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, target_time(target)) << "no refresh is known";
    ASSERT_TRUE(compositor_->present(0, {.refresh = 10ms}));
    ASSERT_EQ(past(any_order).size(), 0u);
    ASSERT_EQ(present({.target = target, .flags = nearest}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, target_time(target - ns(5ms)));
}

TEST_F(PresentTiming, ARelativeTargetStartsWhenTheImageBeforeWasShown) {
    begin(with_presentation(), fifo);
    ASSERT_EQ(present({.target = ns(1h), .flags = relative}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt) << "no image was before";
    const uint64_t shown = now_on(CLOCK_MONOTONIC) + ns(1h);
    ASSERT_TRUE(compositor_->present(0, {.time = nanoseconds(shown), .refresh = 10ms}));
    ASSERT_EQ(present({.stages = queue_end, .target = ns(50ms), .flags = relative}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, target_time(shown + ns(50ms)));
    EXPECT_EQ(past().at(0).target, ns(50ms)) << "as the application gave it";
    ASSERT_EQ(present({.target = ns(30ms), .flags = relative | nearest}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, target_time(shown + ns(75ms)));
}

TEST_F(PresentTiming, OnlyImagesInAQueueWaitForTheirTime) {
    for (const VkPresentModeKHR mode :
         {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR}) {
        begin(with_presentation({.tearing = 1}), mode);
        ASSERT_EQ(present({.target = now_on(CLOCK_MONOTONIC)}), VK_SUCCESS);
        EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
        TearDown();
        SetUp();
    }
}

TEST_F(PresentTiming, WithoutATargetThereIsNoTimer) {
    begin(with_presentation(), fifo);
    ASSERT_EQ(present({.stages = visible}), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_commit_timing_manager_v1", "get_timer"), 0u);
    ASSERT_EQ(present({.target = 5}), VK_SUCCESS);
    ASSERT_EQ(present({}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
    EXPECT_EQ(compositor_->requests("wp_commit_timing_manager_v1", "get_timer"), 1u);
    EXPECT_EQ(compositor_->requests("wp_commit_timer_v1", "set_timestamp"), 1u);
}

TEST_F(PresentTiming, WithoutCommitTimingTargetsAreIgnored) {
    Script script = with_presentation();
    script.globals.commit_timing = 0;
    begin(script, fifo);
    EXPECT_EQ(capabilities().presentAtAbsoluteTimeSupported, VK_FALSE);
    const SkippedWaits skipped;
    ASSERT_EQ(present({.stages = visible, .target = now_on(CLOCK_MONOTONIC) + ns(1h)}), VK_SUCCESS);
    EXPECT_EQ(skipped_ns, 0) << "nothing waits for the time instead";
}

TEST_F(PresentTiming, TheTimerEndsWithTheSurfacesLastSwapchain) {
    begin(with_presentation(), fifo);
    ASSERT_EQ(present({.target = 5}), VK_SUCCESS);
    Swapchain next = make_swapchain(fifo, swapchain_);
    ASSERT_EQ(next.result, VK_SUCCESS);
    ASSERT_EQ(present(next, {.target = 6}), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_commit_timing_manager_v1", "get_timer"), 1u);
    next = {};
    swapchain_ = {};
    client_->app.round_trip();
    EXPECT_EQ(compositor_->requests("wp_commit_timer_v1", "destroy"), 1u);
}

// Images are shown in their order, and no request takes a time back.
TEST_F(PresentTiming, ATargetMoreThanAMinuteAheadHoldsNoImageBack) {
    begin(with_presentation(), fifo);
    ASSERT_EQ(present({.stages = queue_end, .target = now_on(CLOCK_REALTIME)}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
    ASSERT_EQ(present({.target = ns(61s), .flags = relative}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
    ASSERT_EQ(present({.target = UINT64_MAX, .flags = relative | nearest}), VK_SUCCESS);
    EXPECT_EQ(compositor_->last_commit().target_time, std::nullopt);
    EXPECT_NE(past().at(0).target, 0u) << "as the application gave it";
    ASSERT_EQ(present({.target = ns(59s), .flags = relative}), VK_SUCCESS);
    EXPECT_NE(compositor_->last_commit().target_time, std::nullopt);
}

// A window whose image waits for its time is not hidden.
TEST_F(PresentTiming, TheNextPresentWaitsForTheCallbackFromTheTimeOn) {
    Script script = with_presentation();
    script.refresh = Refresh::manual;
    begin(script, fifo);
    const SkippedWaits skipped;
    ASSERT_EQ(present({.target = now_on(CLOCK_MONOTONIC) + ns(5s)}), VK_SUCCESS);
    const auto [result, index] = client_->acquire(swapchain_);
    ASSERT_EQ(result, VK_SUCCESS);
    ASSERT_EQ(present(swapchain_, index, {}), VK_SUCCESS);
    EXPECT_GT(skipped_ns, (5s + 500ms) / 1ns);
}
#endif

// --- properties ---

TEST_F(PresentTiming, TheRefreshIsKnownOnceAnImageWasShown) {
    begin();
    const auto none = properties();
    EXPECT_EQ(none.result, VK_NOT_READY);
    EXPECT_EQ(none.duration, 0u);
    EXPECT_EQ(none.interval, 0u);
    past();
    EXPECT_EQ(properties_counter_, none.counter);

    ASSERT_EQ(present({}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(0, {.refresh = 10ms}));
    const auto known = properties();
    EXPECT_EQ(known.result, VK_SUCCESS);
    EXPECT_EQ(known.duration, ns(10ms));
    EXPECT_GT(known.counter, none.counter);
    past();
    EXPECT_EQ(properties_counter_, known.counter);

    ASSERT_EQ(present({}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(1, {.refresh = 20ms}));
    past();
    EXPECT_GT(properties_counter_, known.counter);
    EXPECT_EQ(properties().duration, ns(20ms));
}

TEST_F(PresentTiming, VersionOneOfThePresentationReportsConstantRates) {
    begin({.globals = {.presentation = 1}});
    ASSERT_EQ(present({}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(0, {.refresh = 10ms}));
    EXPECT_EQ(properties().interval, ns(10ms));
    ASSERT_EQ(present({}), VK_SUCCESS);
    ASSERT_TRUE(compositor_->present(1, {.refresh = 0ns}));
    const auto unknown = properties();
    EXPECT_EQ(unknown.result, VK_SUCCESS);
    EXPECT_EQ(unknown.duration, 0u);
    EXPECT_EQ(unknown.interval, 0u);
}

TEST_F(PresentTiming, AVariableRateIsMeasured) {
    begin();
    nanoseconds time = 1h;
    for (size_t i = 0; i < 8; ++i) {
        ASSERT_EQ(present({}), VK_SUCCESS);
        ASSERT_TRUE(compositor_->present(i, {.time = time += 13ms, .refresh = 10ms}));
    }
    // Before wayland-protocols 1.38 there is only version 1, whose rates are constant.
    const bool has_version_2 = compositor_->on_thread(
        [](Scene& scene) { return scene.announced_version("wp_presentation") >= 2; });
    EXPECT_EQ(properties().interval, has_version_2 ? UINT64_MAX : ns(10ms));
}

TEST_F(PresentTiming, WithoutReportsNoRefreshIsEverKnown) {
    begin(Script{});
    const auto never = properties();
    EXPECT_EQ(never.result, VK_SUCCESS);
    EXPECT_EQ(never.duration, 0u);
    EXPECT_EQ(never.interval, 0u);
}

TEST_F(PresentTiming, TheTimeDomainsAreListedWithTheirIds) {
    begin();
    const auto list =
        find<PFN_vkGetSwapchainTimeDomainPropertiesEXT>("vkGetSwapchainTimeDomainPropertiesEXT");
    VkSwapchainTimeDomainPropertiesEXT domains{};
    domains.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_TIME_DOMAIN_PROPERTIES_EXT;
    ASSERT_EQ(list(client_->device, swapchain_, &domains, nullptr), VK_SUCCESS);
    ASSERT_EQ(domains.timeDomainCount, 3u);
    std::array<VkTimeDomainKHR, 3> names{};
    std::array<uint64_t, 3> all_ids{};
    domains.pTimeDomains = names.data();
    domains.pTimeDomainIds = all_ids.data();
    domains.timeDomainCount = 2;
    uint64_t counter = 0;
    EXPECT_EQ(list(client_->device, swapchain_, &domains, &counter), VK_INCOMPLETE);
    EXPECT_EQ(domains.timeDomainCount, 2u);
    domains.timeDomainCount = 3;
    EXPECT_EQ(list(client_->device, swapchain_, &domains, &counter), VK_SUCCESS);
    EXPECT_EQ(names[0], VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT);
    EXPECT_EQ(names[1], VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT);
    EXPECT_EQ(names[2], VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR);
    EXPECT_EQ(all_ids, (std::array<uint64_t, 3>{0, 1, 2}));
    past();
    EXPECT_EQ(domains_counter_, counter);
}

TEST_F(PresentTiming, AClockThatVulkanDoesNotNameHasNoDomainOfItsOwn) {
    Script script = with_presentation();
    script.presentation_clock = CLOCK_BOOTTIME;
    begin(script);
    VkSwapchainTimeDomainPropertiesEXT domains{};
    ASSERT_EQ(
        find<PFN_vkGetSwapchainTimeDomainPropertiesEXT>("vkGetSwapchainTimeDomainPropertiesEXT")(
            client_->device, swapchain_, &domains, nullptr),
        VK_SUCCESS);
    EXPECT_EQ(domains.timeDomainCount, 2u);
}

// --- calibration ---

TEST_F(PresentTiming, TheTimeDomainsAreCalibratedWithTheHosts) {
    Script script = with_presentation();
    script.presentation_clock = CLOCK_MONOTONIC_RAW;
    begin(script);
    const VkSwapchainCalibratedTimestampInfoEXT swapchain{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CALIBRATED_TIMESTAMP_INFO_EXT,
        .pNext = nullptr,
        .swapchain = swapchain_,
        .presentStage = visible,
        .timeDomainId = stage_local};
    const auto info = [&](VkTimeDomainKHR domain, const void* next = nullptr) {
        return VkCalibratedTimestampInfoKHR{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR, next,
                                            domain};
    };
    const std::array infos{info(VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT, &swapchain),
                           info(VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT, &swapchain),
                           info(VK_TIME_DOMAIN_CLOCK_MONOTONIC_RAW_KHR),
                           info(VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR)};
    std::array<uint64_t, 4> times{};
    uint64_t deviation = 0;
    const uint64_t raw = now_on(CLOCK_MONOTONIC_RAW);
    const uint64_t monotonic = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR")(
                  client_->device, uint32_t(infos.size()), infos.data(), times.data(), &deviation),
              VK_SUCCESS);
    const uint64_t after = now_on(CLOCK_MONOTONIC_RAW);
    for (size_t i : {0, 1, 2}) {
        EXPECT_GE(times[i], raw);
        EXPECT_LE(times[i], after);
    }
    EXPECT_GE(times[3], monotonic);
    EXPECT_LE(times[3], now_on(CLOCK_MONOTONIC));
    EXPECT_GE(deviation, times[2] - times[0]);
    EXPECT_GE(deviation, 1u);
}

TEST_F(PresentTiming, TheDriversClocksAreReadWithoutTheLayersSwapchain) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                       VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
    begin();
    const VkSwapchainCalibratedTimestampInfoEXT swapchain{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CALIBRATED_TIMESTAMP_INFO_EXT,
        .pNext = nullptr,
        .swapchain = swapchain_,
        .presentStage = visible,
        .timeDomainId = stage_local};
    const auto info = [&](VkTimeDomainKHR domain) {
        return VkCalibratedTimestampInfoKHR{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR,
                                            &swapchain, domain};
    };
    const std::array infos{info(VK_TIME_DOMAIN_DEVICE_KHR),
                           info(VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT),
                           info(VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR)};
    std::array<uint64_t, 3> times{};
    uint64_t deviation = 0;
    const uint64_t before = now_on(CLOCK_MONOTONIC);
    ASSERT_EQ(find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR")(
                  client_->device, uint32_t(infos.size()), infos.data(), times.data(), &deviation),
              VK_SUCCESS);
    EXPECT_EQ(times[0], FAKE_DRIVER_TIMESTAMP + VK_TIME_DOMAIN_DEVICE_KHR);
    EXPECT_GE(times[1], before);
    EXPECT_EQ(times[2], FAKE_DRIVER_TIMESTAMP + VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR);
    EXPECT_GT(deviation, FAKE_DRIVER_MAX_DEVIATION);
    EXPECT_EQ(fake_driver().misuses(), 0u);
}

TEST_F(PresentTiming, TheDriversClocksAreReadUnderTheirOlderName) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                       VK_EXT_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
    begin();
    EXPECT_EQ(
        time_domains(),
        (std::vector{VK_TIME_DOMAIN_DEVICE_KHR, VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR,
                     VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT, VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT}));
    const VkCalibratedTimestampInfoKHR info{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR,
                                            nullptr, VK_TIME_DOMAIN_DEVICE_KHR};
    uint64_t time = 0;
    uint64_t deviation = 0;
    EXPECT_EQ(find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR")(
                  client_->device, 1, &info, &time, &deviation),
              VK_SUCCESS);
    EXPECT_EQ(time, FAKE_DRIVER_TIMESTAMP);
}

TEST_F(PresentTiming, AFailureOfTheDriversClocksIsTheResult) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                       VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
    begin();
    const VkCalibratedTimestampInfoKHR info{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR,
                                            nullptr, VK_TIME_DOMAIN_DEVICE_KHR};
    const auto get = find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR");
    uint64_t time = 0;
    uint64_t deviation = 0;
    fake_driver().fail_call("vkGetCalibratedTimestampsKHR", 1, VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(get(client_->device, 1, &info, &time, &deviation), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(get(client_->device, 1, &info, &time, &deviation), VK_SUCCESS);
    EXPECT_EQ(time, FAKE_DRIVER_TIMESTAMP);
}

TEST_F(PresentTiming, AFailureOfTheDriversTimeDomainsIsTheResult) {
    fake_driver().add_device_extension(FAKE_DRIVER_ALL_DEVICES,
                                       VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME);
    begin();
    fake_driver().fail_call("vkGetPhysicalDeviceCalibrateableTimeDomainsKHR", 1,
                            VK_ERROR_OUT_OF_HOST_MEMORY);
    time_domains(VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(time_domains().size(), 4u);
}

// --- those who do not use it ---

TEST_F(PresentTiming, WithoutTheFlagNothingIsRequested) {
    connect(with_presentation({.fifo = 1}));
    swapchain_ = client_->swapchain({.mode = VK_PRESENT_MODE_FIFO_KHR});
    ASSERT_EQ(client_->show_every_image(swapchain_), VK_SUCCESS);
    EXPECT_EQ(compositor_->requests("wp_presentation", "feedback"), 0u);
    EXPECT_EQ(compositor_->requests("wp_commit_timing_manager_v1", "get_timer"), 0u);
}

} // namespace
} // namespace fencebridge::test
