// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <vector>

#include "core/frame_pacing.hpp"
#include "swapchain/present_timing.hpp"

// What PresentTiming answers to the functions of VK_EXT_present_timing and
// VK_GOOGLE_display_timing.

namespace fencebridge {

namespace {

using core::PresentationTime;

/// The swapchain's time domains. All have the times of one clock, which never changes. An id is an
/// index of this list.
std::vector<VkTimeDomainKHR> domains_of(const PresentClock& clock) {
    std::vector<VkTimeDomainKHR> domains = {VK_TIME_DOMAIN_PRESENT_STAGE_LOCAL_EXT,
                                            VK_TIME_DOMAIN_SWAPCHAIN_LOCAL_EXT};
    if (const auto host = clock.time_domain())
        domains.push_back(*host);
    return domains;
}
constexpr uint64_t domains_counter = 1;

uint64_t monotonic_time(const PresentClock& clock, PresentationTime time) {
    return static_cast<uint64_t>(clock.to_monotonic(time).time_since_epoch().count());
}

void write_report(VkPastPresentationTimingEXT& to, const core::TimingReport& report,
                  std::span<const VkTimeDomainKHR> domains) {
    to.presentId = report.query.present_id;
    to.targetTime = report.query.target_time;
    // The application's array has room for all stages that were queried
    // (VUID-vkGetPastPresentationTimingEXT-flags-12230). Its presentStageCount is not looked at:
    // the conformance tests leave it unset.
    to.presentStageCount = static_cast<uint32_t>(report.stages.size());
    std::ranges::copy(report.stages, to.pPresentStages);
    // "The presentation engine may pick a time domain to fall back to".
    to.timeDomainId = report.query.time_domain < domains.size() ? report.query.time_domain : 0;
    to.timeDomain = domains[static_cast<size_t>(to.timeDomainId)];
    to.reportComplete = report.complete ? VK_TRUE : VK_FALSE;
}

} // namespace

VkResult PresentTiming::resize(uint32_t slots) {
    constexpr uint32_t most_slots = 1 << 20;
    if (slots > most_slots)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    const bool done = state_.with([&](State& state) { return state.results.resize(slots); });
    return done ? VK_SUCCESS : VK_NOT_READY;
}

VkResult PresentTiming::properties(VkSwapchainTimingPropertiesEXT& properties,
                                   uint64_t* changes) const {
    return state_.with([&](const State& state) {
        const auto duration = state.refresh.duration();
        properties.refreshDuration = duration ? static_cast<uint64_t>(duration->count()) : 0;
        switch (state.refresh.kind()) {
        case core::RefreshKind::fixed:
            properties.refreshInterval = properties.refreshDuration;
            break;
        case core::RefreshKind::variable:
            properties.refreshInterval = UINT64_MAX;
            break;
        case core::RefreshKind::unknown:
            properties.refreshInterval = 0;
            break;
        }
        if (changes != nullptr)
            *changes = state.refresh.changes() + 1;
        return support_.reports && !state.refresh.has_reports() ? VK_NOT_READY : VK_SUCCESS;
    });
}

VkResult PresentTiming::time_domains(VkSwapchainTimeDomainPropertiesEXT& domains,
                                     uint64_t* changes) const {
    if (changes != nullptr)
        *changes = domains_counter;
    const auto all = domains_of(support_.clock);
    if (domains.pTimeDomains == nullptr && domains.pTimeDomainIds == nullptr) {
        domains.timeDomainCount = static_cast<uint32_t>(all.size());
        return VK_SUCCESS;
    }
    const size_t fitting = std::min<size_t>(domains.timeDomainCount, all.size());
    for (size_t i = 0; i < fitting; ++i) {
        if (domains.pTimeDomains != nullptr)
            domains.pTimeDomains[i] = all[i];
        if (domains.pTimeDomainIds != nullptr)
            domains.pTimeDomainIds[i] = i;
    }
    domains.timeDomainCount = static_cast<uint32_t>(fitting);
    return fitting < all.size() ? VK_INCOMPLETE : VK_SUCCESS;
}

VkResult PresentTiming::past(VkPastPresentationTimingFlagsEXT flags,
                             VkPastPresentationTimingPropertiesEXT& properties) {
    const auto domains = domains_of(support_.clock);
    properties.timeDomainsCounter = domains_counter;
    size_t available = 0;
    const auto reports = state_.with([&](State& state) {
        properties.timingPropertiesCounter = state.refresh.changes() + 1;
        available = state.results.count(flags);
        return properties.pPresentationTimings == nullptr
                   ? std::vector<core::TimingReport>()
                   : state.results.take(flags, properties.presentationTimingCount);
    });
    if (properties.pPresentationTimings == nullptr) {
        properties.presentationTimingCount = static_cast<uint32_t>(available);
        return VK_SUCCESS;
    }
    for (size_t i = 0; i < reports.size(); ++i)
        write_report(properties.pPresentationTimings[i], reports[i], domains);
    properties.presentationTimingCount = static_cast<uint32_t>(reports.size());
    return reports.size() < available ? VK_INCOMPLETE : VK_SUCCESS;
}

uint64_t PresentTiming::refresh_duration() const {
    // Applications divide by it. So it is the usual one as long as none is known.
    const auto duration = state_.with([](const State& state) { return state.refresh.duration(); });
    return static_cast<uint64_t>(duration.value_or(core::usual_refresh).count());
}

VkResult PresentTiming::past(uint32_t& count, VkPastPresentationTimingGOOGLE* timings) {
    size_t available = 0;
    const auto results = state_.with([&](State& state) {
        available = state.display_timings.count();
        return timings == nullptr ? std::vector<core::DisplayTiming>()
                                  : state.display_timings.take(count);
    });
    if (timings == nullptr) {
        count = static_cast<uint32_t>(available);
        return VK_SUCCESS;
    }
    for (size_t i = 0; i < results.size(); ++i) {
        const core::DisplayTiming& result = results[i];
        // One conversion: each reads both clocks anew, and so has an error of its own. "The value
        // of earliestPresentTime must be the same as actualPresentTime" (IMMEDIATE).
        const uint64_t actual = monotonic_time(support_.clock, result.actual);
        const auto earlier = static_cast<uint64_t>((result.actual - result.earliest).count());
        timings[i] = {.presentID = result.query.id,
                      .desiredPresentTime = result.query.desired_time,
                      .actualPresentTime = actual,
                      .earliestPresentTime = actual - earlier,
                      .presentMargin = static_cast<uint64_t>(result.margin.count())};
    }
    count = static_cast<uint32_t>(results.size());
    return results.size() < available ? VK_INCOMPLETE : VK_SUCCESS;
}

} // namespace fencebridge
