// SPDX-License-Identifier: MIT
// What the specification demands of the times of presents: VK_EXT_present_timing with the time
// domains that VK_KHR_calibrated_timestamps calibrates, and VK_GOOGLE_display_timing. More of it is
// in tests/compositor/, where a test decides when the compositor reports what.
#include "wsi.hpp"

#include "vk/newer_headers.hpp"
#include "vk/present_timing_headers.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr VkPresentStageFlagsEXT queue_end = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT;

// A client that presents with FIFO, so that each image is shown.
class TimesTest : public WsiTest {
protected:
    static Script reporting() {
        Script script = busy();
        script.globals.presentation = 1; // in which the reported refresh is a fixed one
        script.presentation = Presentation::presented;
        // Not the clock of VK_GOOGLE_display_timing, so that its times are converted.
        script.presentation_clock = CLOCK_MONOTONIC_RAW;
        return script;
    }
    void begin(const std::vector<const char*>& extensions, const SwapchainOptions& options) {
        client_.emplace(connect(reporting()), InstanceOptions{}, extensions);
        swapchain_ = client_->swapchain(options);
        ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    }
    void TearDown() override {
        if (client_)
            vkDeviceWaitIdle(client_->device);
        swapchain_ = {};
        client_.reset();
        WsiTest::TearDown();
    }
    // Returns when `condition` is true. No command waits for results: they come in finite time.
    template <class Condition>
    void wait_until(Condition&& condition) {
        while (!condition())
            client_->app.round_trip();
    }
    template <class Function>
    Function find(const char* name) {
        const auto function =
            reinterpret_cast<Function>(vkGetDeviceProcAddr(client_->device, name));
        EXPECT_NE(function, nullptr) << name;
        return function;
    }

    std::optional<Client> client_;
    Swapchain swapchain_;
};

// --- VK_EXT_present_timing ---

struct TimeDomain {
    VkTimeDomainKHR domain;
    uint64_t id;
};

struct Report {
    uint64_t id;
    VkTimeDomainKHR domain;
    uint64_t domain_id;
    bool complete;
    std::vector<VkPresentStageTimeEXT> stages;
};

class PresentTiming : public TimesTest {
protected:
    void begin() {
        TimesTest::begin({VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                          VK_KHR_CALIBRATED_TIMESTAMPS_EXTENSION_NAME,
                          VK_EXT_PRESENT_TIMING_EXTENSION_NAME},
                         {.mode = VK_PRESENT_MODE_FIFO_KHR,
                          .min_images = 3,
                          .flags = VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                                   VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR});
    }

    VkPresentTimingSurfaceCapabilitiesEXT capabilities() {
        VkPresentTimingSurfaceCapabilitiesEXT can{};
        can.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT;
        query_capabilities(client_->instance, client_->device, client_->surface, &can);
        return can;
    }
    VkResult set_slots(uint32_t slots) {
        return find<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
            "vkSetSwapchainPresentTimingQueueSizeEXT")(client_->device, swapchain_, slots);
    }

    VkResult list_domains(VkSwapchainTimeDomainPropertiesEXT& domains) {
        domains.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_TIME_DOMAIN_PROPERTIES_EXT;
        return find<PFN_vkGetSwapchainTimeDomainPropertiesEXT>(
            "vkGetSwapchainTimeDomainPropertiesEXT")(client_->device, swapchain_, &domains,
                                                     nullptr);
    }
    // The time domains that are listed if there is room for `room`.
    std::vector<TimeDomain> list_domains(uint32_t room, VkResult expected) {
        std::vector<VkTimeDomainKHR> names(room);
        std::vector<uint64_t> ids(room);
        VkSwapchainTimeDomainPropertiesEXT domains{};
        domains.timeDomainCount = room;
        domains.pTimeDomains = names.data();
        domains.pTimeDomainIds = ids.data();
        EXPECT_EQ(list_domains(domains), expected);
        std::vector<TimeDomain> all;
        for (uint32_t i = 0; i < std::min(domains.timeDomainCount, room); ++i)
            all.push_back({names[i], ids[i]});
        return all;
    }
    std::vector<TimeDomain> all_domains() {
        VkSwapchainTimeDomainPropertiesEXT domains{};
        EXPECT_EQ(list_domains(domains), VK_SUCCESS);
        return list_domains(domains.timeDomainCount, VK_SUCCESS);
    }

    // Presents an image that was acquired.
    VkResult present(uint32_t index, uint64_t id, VkPresentStageFlagsEXT stages,
                     uint64_t domain = 0) {
        VkPresentTimingInfoEXT timing{};
        timing.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT;
        timing.timeDomainId = domain;
        timing.presentStageQueries = stages;
        const VkPresentId2KHR number{VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR, nullptr, 1, &id};
        VkPresentTimingsInfoEXT timings{};
        timings.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT;
        timings.pNext = &number;
        timings.swapchainCount = 1;
        timings.pTimingInfos = &timing;
        return test::present(client_->device.queue, swapchain_, index, {}, &timings);
    }
    VkResult frame(uint64_t id, VkPresentStageFlagsEXT stages, uint64_t domain = 0) {
        return present(client_->acquire(swapchain_).index, id, stages, domain);
    }

    VkResult query(VkPastPresentationTimingPropertiesEXT& properties) {
        properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
        VkPastPresentationTimingInfoEXT info{};
        info.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT;
        info.swapchain = swapchain_;
        return find<PFN_vkGetPastPresentationTimingEXT>("vkGetPastPresentationTimingEXT")(
            client_->device, &info, &properties);
    }
    uint32_t available() {
        VkPastPresentationTimingPropertiesEXT properties{};
        EXPECT_EQ(query(properties), VK_SUCCESS);
        return properties.presentationTimingCount;
    }
    std::vector<Report> past(uint32_t room = 32, VkResult expected = VK_SUCCESS) {
        std::vector<std::array<VkPresentStageTimeEXT, 4>> stages(room);
        std::vector<VkPastPresentationTimingEXT> timings(room);
        for (size_t i = 0; i < room; ++i) {
            timings[i].sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
            timings[i].presentStageCount = uint32_t(stages[i].size());
            timings[i].pPresentStages = stages[i].data();
        }
        VkPastPresentationTimingPropertiesEXT properties{};
        properties.presentationTimingCount = room;
        properties.pPresentationTimings = timings.data();
        EXPECT_EQ(query(properties), expected);
        counter_ = properties.timingPropertiesCounter;
        std::vector<Report> reports;
        for (uint32_t i = 0; i < std::min(properties.presentationTimingCount, room); ++i)
            reports.push_back(
                {timings[i].presentId,
                 timings[i].timeDomain,
                 timings[i].timeDomainId,
                 timings[i].reportComplete == VK_TRUE,
                 {stages[i].begin(), stages[i].begin() + timings[i].presentStageCount}});
        return reports;
    }
    std::vector<Report> wait_for_reports(size_t count) {
        std::vector<Report> all;
        wait_until([&] {
            std::ranges::move(past(), std::back_inserter(all));
            return all.size() >= count;
        });
        return all;
    }

    // The time of one domain of the swapchain's.
    uint64_t calibrate(const TimeDomain& domain, VkPresentStageFlagsEXT stage) {
        VkSwapchainCalibratedTimestampInfoEXT of{};
        of.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CALIBRATED_TIMESTAMP_INFO_EXT;
        of.swapchain = swapchain_;
        of.presentStage = stage;
        of.timeDomainId = domain.id;
        const VkCalibratedTimestampInfoKHR info{VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR,
                                                &of, domain.domain};
        uint64_t time = 0;
        uint64_t deviation = 0;
        EXPECT_EQ(find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR")(
                      client_->device, 1, &info, &time, &deviation),
                  VK_SUCCESS);
        EXPECT_GT(deviation, 0u);
        return time;
    }

    static bool is_of_a_swapchain(VkTimeDomainKHR domain) {
        return domain == VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT ||
               domain == VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT;
    }

    uint64_t counter_ = 0; // timingPropertiesCounter of the last past()
};

TEST_F(PresentTiming, OfTheQueueIsSupportedWhereAnyIs) {
    begin();
    const auto can = capabilities();
    EXPECT_TRUE(can.presentTimingSupported);
    EXPECT_TRUE(can.presentStageQueries & queue_end);
}

TEST_F(PresentTiming, HasADomainOfEachStage) {
    begin();
    const auto domains = all_domains();
    EXPECT_GE(
        std::ranges::count(domains, VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT, &TimeDomain::domain),
        1);
}

TEST_F(PresentTiming, DomainsHaveDifferentIds) {
    begin();
    std::set<uint64_t> ids;
    for (const TimeDomain& domain : all_domains())
        EXPECT_TRUE(ids.insert(domain.id).second) << domain.id;
}

TEST_F(PresentTiming, DomainsAreListedAsFarAsThereIsRoom) {
    begin();
    const auto all = uint32_t(all_domains().size());
    for (uint32_t room = 1; room <= all + 2; ++room)
        EXPECT_EQ(list_domains(room, room < all ? VK_INCOMPLETE : VK_SUCCESS).size(),
                  std::min(room, all));
}

TEST_F(PresentTiming, OfASwapchainWithoutSlotsFailsThePresent) {
    begin();
    const uint32_t index = client_->acquire(swapchain_).index;
    EXPECT_EQ(present(index, 1, queue_end), VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT);
    ASSERT_EQ(set_slots(1), VK_SUCCESS);
    EXPECT_EQ(present(index, 2, queue_end), VK_SUCCESS);
    EXPECT_EQ(present(client_->acquire(swapchain_).index, 3, 0), VK_SUCCESS) << "asks for nothing";
}

TEST_F(PresentTiming, SlotsAreNeverFewerThanTheResults) {
    begin();
    ASSERT_EQ(set_slots(3), VK_SUCCESS);
    ASSERT_EQ(frame(1, queue_end), VK_SUCCESS);
    ASSERT_EQ(frame(2, queue_end), VK_SUCCESS);
    EXPECT_EQ(set_slots(1), VK_NOT_READY);
    ASSERT_EQ(frame(3, queue_end), VK_SUCCESS) << "there still are three";
    wait_for_reports(3);
    EXPECT_EQ(set_slots(1), VK_SUCCESS);
}

TEST_F(PresentTiming, SlotsAreFreeAfterTheirReports) {
    begin();
    ASSERT_EQ(set_slots(1), VK_SUCCESS);
    for (uint64_t id = 1; id <= 5; ++id) {
        ASSERT_EQ(frame(id, queue_end), VK_SUCCESS);
        EXPECT_EQ(wait_for_reports(1).front().id, id);
    }
}

TEST_F(PresentTiming, OfEachPresentComesInFiniteTimeAndInOrder) {
    begin();
    const VkPresentStageFlagsEXT stages = capabilities().presentStageQueries;
    ASSERT_EQ(set_slots(8), VK_SUCCESS);
    for (uint64_t id = 1; id <= 8; ++id)
        ASSERT_EQ(frame(id, id % 2 ? stages : queue_end), VK_SUCCESS);
    const auto reports = wait_for_reports(8);
    for (size_t i = 0; i < reports.size(); ++i) {
        EXPECT_EQ(reports[i].id, i + 1);
        EXPECT_TRUE(reports[i].complete);
        VkPresentStageFlagsEXT reported = 0;
        for (const VkPresentStageTimeEXT& stage : reports[i].stages)
            reported |= stage.stage;
        EXPECT_EQ(reported, reports[i].id % 2 ? stages : queue_end);
    }
    EXPECT_EQ(available(), 0u) << "each comes once";
}

TEST_F(PresentTiming, OfManyPresentsComesAsFarAsThereIsRoom) {
    begin();
    ASSERT_EQ(set_slots(3), VK_SUCCESS);
    for (uint64_t id = 1; id <= 3; ++id)
        ASSERT_EQ(frame(id, queue_end), VK_SUCCESS);
    wait_until([&] { return available() == 3; });
    EXPECT_EQ(past(2, VK_INCOMPLETE).size(), 2u);
    EXPECT_EQ(past(2).size(), 1u);
}

TEST_F(PresentTiming, MayBeReadWhileAnotherThreadPresents) {
    constexpr uint64_t frames = 20;
    begin();
    ASSERT_EQ(set_slots(frames), VK_SUCCESS);
    std::thread presenting([&] {
        for (uint64_t id = 1; id <= frames; ++id)
            EXPECT_EQ(frame(id, queue_end), VK_SUCCESS);
    });
    const auto reports = wait_for_reports(frames);
    presenting.join();
    for (size_t i = 0; i < reports.size(); ++i)
        EXPECT_EQ(reports[i].id, i + 1);
}

TEST_F(PresentTiming, IsInTheDomainOfThePresent) {
    begin();
    const auto domains = all_domains();
    ASSERT_EQ(set_slots(uint32_t(domains.size())), VK_SUCCESS);
    for (const TimeDomain& domain : domains) {
        ASSERT_EQ(frame(domain.id + 1, queue_end, domain.id), VK_SUCCESS);
        const Report report = wait_for_reports(1).front();
        EXPECT_EQ(report.domain, domain.domain);
        EXPECT_EQ(report.domain_id, domain.id);
    }
}

TEST_F(PresentTiming, IsCalibratedInEachDomain) {
    begin();
    for (const TimeDomain& domain : all_domains()) {
        if (!is_of_a_swapchain(domain.domain))
            continue; // a clock of the host, which the device need not have
        ASSERT_EQ(set_slots(1), VK_SUCCESS);
        const uint64_t before = calibrate(domain, queue_end);
        EXPECT_GT(before, 0u);
        ASSERT_EQ(frame(domain.id + 1, queue_end, domain.id), VK_SUCCESS);
        const Report report = wait_for_reports(1).front();
        const uint64_t after = calibrate(domain, queue_end);
        ASSERT_EQ(report.stages.size(), 1u);
        const uint64_t time = report.stages.front().time;
        EXPECT_TRUE(time == 0 || (before <= time && time <= after))
            << before << " " << time << " " << after;
    }
}

TEST_F(PresentTiming, HasARefreshAfterTheFirstReport) {
    begin();
    ASSERT_EQ(set_slots(1), VK_SUCCESS);
    ASSERT_EQ(frame(1, capabilities().presentStageQueries), VK_SUCCESS);
    wait_for_reports(1);
    past();
    VkSwapchainTimingPropertiesEXT refresh{};
    refresh.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_TIMING_PROPERTIES_EXT;
    uint64_t counter = 0;
    EXPECT_EQ(find<PFN_vkGetSwapchainTimingPropertiesEXT>("vkGetSwapchainTimingPropertiesEXT")(
                  client_->device, swapchain_, &refresh, &counter),
              VK_SUCCESS);
    EXPECT_EQ(counter, counter_);
    const auto [duration, interval] = std::pair(refresh.refreshDuration, refresh.refreshInterval);
    EXPECT_TRUE(interval == 0 || interval == UINT64_MAX || duration % interval == 0)
        << duration << " " << interval;
}

// --- VK_KHR_calibrated_timestamps ---

TEST_F(PresentTiming, ClocksOfTheDeviceAreListedOnceAndCalibrated) {
    begin();
    const auto query = reinterpret_cast<PFN_vkGetPhysicalDeviceCalibrateableTimeDomainsKHR>(
        vkGetInstanceProcAddr(client_->instance, "vkGetPhysicalDeviceCalibrateableTimeDomainsKHR"));
    const auto domains = list<VkTimeDomainKHR>([&](uint32_t* count, VkTimeDomainKHR* all) {
        return query(client_->device.physical, count, all);
    });
    EXPECT_EQ(std::set(domains.begin(), domains.end()).size(), domains.size());
    // Those that only swapchains have can be calibrated, and so are listed.
    for (const TimeDomain& domain : all_domains()) {
        if (is_of_a_swapchain(domain.domain)) {
            EXPECT_EQ(std::ranges::count(domains, domain.domain), 1) << domain.domain;
        }
    }
    std::vector<VkCalibratedTimestampInfoKHR> infos;
    for (const VkTimeDomainKHR domain : domains) {
        if (!is_of_a_swapchain(domain))
            infos.push_back({VK_STRUCTURE_TYPE_CALIBRATED_TIMESTAMP_INFO_KHR, nullptr, domain});
    }
    std::vector<uint64_t> before(infos.size());
    for (int i = 0; i < 3; ++i) {
        std::vector<uint64_t> times(infos.size());
        uint64_t deviation = 0;
        ASSERT_EQ(
            find<PFN_vkGetCalibratedTimestampsKHR>("vkGetCalibratedTimestampsKHR")(
                client_->device, uint32_t(infos.size()), infos.data(), times.data(), &deviation),
            VK_SUCCESS);
        EXPECT_GT(deviation, 0u);
        for (size_t j = 0; j < times.size(); ++j)
            EXPECT_GT(times[j], before[j]) << infos[j].timeDomain;
        before = times;
    }
}

// --- VK_GOOGLE_display_timing ---

class DisplayTiming : public TimesTest {
protected:
    void begin(VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR) {
        TimesTest::begin({VK_KHR_SWAPCHAIN_EXTENSION_NAME, VK_GOOGLE_DISPLAY_TIMING_EXTENSION_NAME},
                         {.mode = mode, .min_images = 3});
    }
    VkResult frame(uint32_t id, uint64_t desired = 0) {
        const VkPresentTimeGOOGLE time{id, desired};
        const VkPresentTimesInfoGOOGLE times{VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE, nullptr,
                                             1, &time};
        return test::present(client_->device.queue, swapchain_, client_->acquire(swapchain_).index,
                             {}, &times);
    }
    VkResult query(uint32_t& count, VkPastPresentationTimingGOOGLE* timings) {
        return find<PFN_vkGetPastPresentationTimingGOOGLE>("vkGetPastPresentationTimingGOOGLE")(
            client_->device, swapchain_, &count, timings);
    }
    uint32_t available() {
        uint32_t count = 0;
        EXPECT_EQ(query(count, nullptr), VK_SUCCESS);
        return count;
    }
    std::vector<VkPastPresentationTimingGOOGLE> past(uint32_t room, VkResult expected) {
        std::vector<VkPastPresentationTimingGOOGLE> timings(room);
        EXPECT_EQ(query(room, timings.data()), expected);
        timings.resize(std::min<size_t>(room, timings.size()));
        return timings;
    }
    std::vector<VkPastPresentationTimingGOOGLE> past() {
        constexpr uint32_t more_than_any_history = 256;
        return past(more_than_any_history, VK_SUCCESS);
    }
    // Presents images until one with this desired time was shown. A compositor may discard those of
    // a window that it does not show yet.
    VkPastPresentationTimingGOOGLE show(uint64_t desired) {
        for (;;) {
            const VkResult result = frame(++presented_, desired);
            EXPECT_EQ(result, VK_SUCCESS);
            if (result != VK_SUCCESS)
                return {};
            for (const VkPastPresentationTimingGOOGLE& timing : past()) {
                if (timing.desiredPresentTime == desired)
                    return timing;
            }
        }
    }
    uint64_t refresh() {
        VkRefreshCycleDurationGOOGLE refresh{};
        EXPECT_EQ(find<PFN_vkGetRefreshCycleDurationGOOGLE>("vkGetRefreshCycleDurationGOOGLE")(
                      client_->device, swapchain_, &refresh),
                  VK_SUCCESS);
        return refresh.refreshDuration;
    }

    uint32_t presented_ = 0;
};

TEST_F(DisplayTiming, OfImagesThatWereShownComesOnceAndInOrder) {
    begin();
    uint32_t last_id = 0;
    uint64_t last_time = 0;
    for (int results = 0; results < 6;) {
        ASSERT_EQ(frame(++presented_), VK_SUCCESS);
        for (const VkPastPresentationTimingGOOGLE& result : past()) {
            ++results;
            EXPECT_GT(result.presentID, last_id);
            EXPECT_LE(result.presentID, presented_);
            EXPECT_EQ(result.desiredPresentTime, 0u);
            EXPECT_GT(result.actualPresentTime, last_time);
            EXPECT_LE(result.earliestPresentTime, result.actualPresentTime);
            last_id = result.presentID;
            last_time = result.actualPresentTime;
        }
    }
}

TEST_F(DisplayTiming, OfManyImagesComesAsFarAsThereIsRoom) {
    begin();
    while (available() < 3)
        ASSERT_EQ(frame(++presented_), VK_SUCCESS);
    const auto two = past(2, VK_INCOMPLETE);
    ASSERT_EQ(two.size(), 2u);
    const auto others = past();
    ASSERT_GE(others.size(), 1u);
    EXPECT_GT(others.front().presentID, two.back().presentID);
}

// Refreshes are not at the desired times. A compositor may choose the one before.
TEST_F(DisplayTiming, AFifoImageIsNotShownBeforeItsDesiredTime) {
    begin();
    uint64_t last = show(0).actualPresentTime;
    for (int image = 0; image < 3; ++image) {
        const uint64_t desired = last + 100'000'000;
        last = show(desired).actualPresentTime;
        EXPECT_GE(last + refresh(), desired);
    }
}

TEST_F(DisplayTiming, ImmediateImagesCouldNotHaveBeenShownEarlier) {
    begin();
    const auto modes = modes_of(*client_);
    if (std::ranges::count(modes, VK_PRESENT_MODE_IMMEDIATE_KHR) == 0)
        return; // without tearing-control-v1, there is no such mode
    swapchain_ = client_->swapchain({.mode = VK_PRESENT_MODE_IMMEDIATE_KHR, .old = swapchain_});
    ASSERT_EQ(swapchain_.result, VK_SUCCESS);
    uint64_t last = 1;
    for (int image = 0; image < 3; ++image) {
        const auto result = show(last);
        EXPECT_EQ(result.earliestPresentTime, result.actualPresentTime);
        last = result.actualPresentTime;
    }
}

} // namespace
} // namespace fencebridge::test
