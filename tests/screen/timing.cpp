// SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "scenarios.hpp"
#include "still/failure.hpp"

namespace fencebridge::screen {

using still::check;

namespace {

constexpr uint64_t frames = 20;
// How far a target is from the last time that a frame was shown. The screen refreshes 60 times a
// second.
constexpr uint64_t distance_ns = 100'000'000;

struct TimeDomain {
    VkTimeDomainKHR domain;
    uint64_t id;
};

std::vector<TimeDomain> time_domains(Application& application, const Chain& chain) {
    const auto query = application.find<PFN_vkGetSwapchainTimeDomainPropertiesEXT>(
        "vkGetSwapchainTimeDomainPropertiesEXT");
    VkSwapchainTimeDomainPropertiesEXT properties{};
    properties.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_TIME_DOMAIN_PROPERTIES_EXT;
    check(query(application.device(), chain.handle(), &properties, nullptr),
          "vkGetSwapchainTimeDomainPropertiesEXT");
    std::vector<VkTimeDomainKHR> domains(properties.timeDomainCount);
    std::vector<uint64_t> ids(properties.timeDomainCount);
    properties.pTimeDomains = domains.data();
    properties.pTimeDomainIds = ids.data();
    check(query(application.device(), chain.handle(), &properties, nullptr),
          "vkGetSwapchainTimeDomainPropertiesEXT");
    std::vector<TimeDomain> all;
    for (size_t i = 0; i < domains.size(); ++i)
        all.push_back({domains[i], ids[i]});
    return all;
}

struct Past {
    std::map<VkPresentStageFlagsEXT, uint64_t> times; // by stage
    bool complete;
};

// The reports that have arrived, by the numbers of their presents.
std::map<uint64_t, Past> past_timings(Application& application, const Chain& chain) {
    const auto query =
        application.find<PFN_vkGetPastPresentationTimingEXT>("vkGetPastPresentationTimingEXT");
    VkPastPresentationTimingInfoEXT info{};
    info.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_INFO_EXT;
    info.swapchain = chain.handle();
    VkPastPresentationTimingPropertiesEXT properties{};
    properties.sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_PROPERTIES_EXT;
    check(query(application.device(), &info, &properties), "vkGetPastPresentationTimingEXT");
    std::vector<VkPastPresentationTimingEXT> timings(properties.presentationTimingCount);
    std::vector<std::array<VkPresentStageTimeEXT, 4>> stages(timings.size());
    for (size_t i = 0; i < timings.size(); ++i) {
        timings[i].sType = VK_STRUCTURE_TYPE_PAST_PRESENTATION_TIMING_EXT;
        timings[i].presentStageCount = uint32_t(stages[i].size());
        timings[i].pPresentStages = stages[i].data();
    }
    properties.pPresentationTimings = timings.data();
    check(query(application.device(), &info, &properties), "vkGetPastPresentationTimingEXT");
    std::map<uint64_t, Past> all;
    for (uint32_t i = 0; i < properties.presentationTimingCount; ++i) {
        Past& past = all[timings[i].presentId];
        past.complete = timings[i].reportComplete == VK_TRUE;
        for (uint32_t j = 0; j < timings[i].presentStageCount; ++j)
            past.times[timings[i].pPresentStages[j].stage] = timings[i].pPresentStages[j].time;
    }
    return all;
}

} // namespace

// The layer's times are those of the compositor, and no frame is shown before its target.
void present_timing(Application& application, Problems& problems) {
    VkDevice device = application.device();
    VkPresentTimingSurfaceCapabilitiesEXT can{};
    can.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT;
    application.capabilities(&can);
    expect(problems, can.presentTimingSupported, "the surface does not support present timing");
    Chain chain(application, {.flags = VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT |
                                       VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR});
    check(application.find<PFN_vkSetSwapchainPresentTimingQueueSizeEXT>(
              "vkSetSwapchainPresentTimingQueueSizeEXT")(device, chain.handle(), frames),
          "vkSetSwapchainPresentTimingQueueSizeEXT");
    const auto domains = time_domains(application, chain);
    if (domains.empty()) {
        problems.push_back("the swapchain has no time domain");
        return;
    }
    constexpr VkPresentStageFlagsEXT shown = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT;
    constexpr VkPresentStageFlagsEXT rendered = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT;
    std::map<uint64_t, size_t> commits;
    uint64_t last_shown = 0;
    for (uint64_t id = 1; id <= frames; ++id) {
        VkPresentTimingInfoEXT timing{};
        timing.sType = VK_STRUCTURE_TYPE_PRESENT_TIMING_INFO_EXT;
        timing.timeDomainId = domains.front().id;
        timing.presentStageQueries = can.presentStageQueries;
        const bool has_target = can.presentAtAbsoluteTimeSupported && last_shown != 0;
        if (has_target) {
            timing.targetTime = last_shown + distance_ns;
            timing.targetTimeDomainPresentStage = shown;
        }
        VkPresentTimingsInfoEXT timings{};
        timings.sType = VK_STRUCTURE_TYPE_PRESENT_TIMINGS_INFO_EXT;
        timings.swapchainCount = 1;
        timings.pTimingInfos = &timing;
        const Number2 number(id, &timings);
        commits[id] = chain.frame(number.chain());
        const Outcome outcome = application.judge().wait_for(commits[id]);
        // A compositor may round a target to the nearest refresh.
        expect(problems,
               !has_target || outcome.time_ns + outcome.refresh_ns / 2 >= timing.targetTime,
               "a frame was shown before its target");
        last_shown = outcome.shown ? outcome.time_ns : last_shown;
    }
    const auto reports = past_timings(application, chain);
    expect(problems, reports.size() == frames,
           std::to_string(reports.size()) + " of " + std::to_string(frames) + " presents reported");
    for (const auto& [id, past] : reports) {
        const Outcome outcome = application.judge().wait_for(commits.at(id));
        expect(problems, past.complete, "a report is not complete");
        if (!outcome.shown)
            continue;
        const auto at = [&](VkPresentStageFlagsEXT stage) {
            const auto found = past.times.find(stage);
            return found == past.times.end() ? 0 : found->second;
        };
        expect(problems, at(shown) == outcome.time_ns,
               "the first pixel's time is not the compositor's: " + std::to_string(at(shown)) +
                   ", " + std::to_string(outcome.time_ns));
        expect(problems, at(rendered) != 0 && at(rendered) <= outcome.time_ns,
               "the end of the rendering is not before the image was shown");
    }
}

void display_timing(Application& application, Problems& problems) {
    VkDevice device = application.device();
    const auto query = application.find<PFN_vkGetPastPresentationTimingGOOGLE>(
        "vkGetPastPresentationTimingGOOGLE");
    Chain chain(application, {});
    std::map<uint32_t, size_t> commits;
    for (uint32_t id = 1; id <= frames; ++id) {
        const VkPresentTimeGOOGLE time{.presentID = id, .desiredPresentTime = 0};
        VkPresentTimesInfoGOOGLE times{};
        times.sType = VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE;
        times.swapchainCount = 1;
        times.pTimes = &time;
        commits[id] = chain.frame(&times);
        application.judge().wait_for(commits[id]);
    }
    VkRefreshCycleDurationGOOGLE refresh{};
    check(application.find<PFN_vkGetRefreshCycleDurationGOOGLE>("vkGetRefreshCycleDurationGOOGLE")(
              device, chain.handle(), &refresh),
          "vkGetRefreshCycleDurationGOOGLE");
    const uint64_t reported = application.judge().wait_for(commits.rbegin()->second).refresh_ns;
    // 0: the compositor does not know. The application still gets a number that it can divide by.
    expect(problems,
           refresh.refreshDuration == reported || (reported == 0 && refresh.refreshDuration > 0),
           "the refresh duration " + std::to_string(refresh.refreshDuration) +
               " is not the compositor's, " + std::to_string(reported));
    uint32_t count = 0;
    check(query(device, chain.handle(), &count, nullptr), "vkGetPastPresentationTimingGOOGLE");
    std::vector<VkPastPresentationTimingGOOGLE> timings(count);
    check(query(device, chain.handle(), &count, timings.data()),
          "vkGetPastPresentationTimingGOOGLE");
    expect(problems, count == frames, std::to_string(count) + " presents reported");
    // The layer converts the times of the compositor's clock to CLOCK_MONOTONIC, at the query.
    std::vector<int64_t> differences;
    for (const VkPastPresentationTimingGOOGLE& timing : timings)
        differences.push_back(
            int64_t(timing.actualPresentTime) -
            int64_t(application.judge().wait_for(commits.at(timing.presentID)).time_ns));
    if (differences.empty())
        return;
    const auto [least, most] = std::ranges::minmax(differences);
    expect(problems, most - least < 1'000'000,
           "the actual times of presents are not the compositor's");
}

} // namespace fencebridge::screen
