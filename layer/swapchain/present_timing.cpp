// SPDX-License-Identifier: MIT
#include "swapchain/present_timing.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "core/commit_plan.hpp"
#include "core/frame_pacing.hpp"
#include "ioctl/sync_file.hpp"
#include "util/log.hpp"

namespace fencebridge {

namespace {

using core::PresentationTime;
using core::PresentSerial;

constexpr VkPresentStageFlagsEXT queue_end = VK_PRESENT_STAGE_QUEUE_OPERATIONS_END_BIT_EXT;
/// wp_presentation reports one time, "when the content update turned into light the first time".
/// Compositors report when the display hardware began to use the image.
constexpr VkPresentStageFlagsEXT shown_stages = VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_OUT_BIT_EXT |
                                                VK_PRESENT_STAGE_IMAGE_FIRST_PIXEL_VISIBLE_BIT_EXT;

/// Renderings of which nobody has asked whether they have ended.
constexpr size_t most_renderings = 16;

/// Whether an image of the mode can wait for its time. Of other modes,
/// VUID-VkPresentTimingsInfoEXT-pSwapchains-12235 forbids one. VK_GOOGLE_display_timing allows to
/// ignore it for IMMEDIATE. For MAILBOX it says that the next image replaces one that waits for its
/// time. A window system would show both in their order.
bool can_wait(VkPresentModeKHR mode) {
    return core::shows_every_image(mode) || mode == core::present_mode_fifo_latest_ready;
}

std::optional<core::PresentTarget> target_of(const TimingWish& wish, VkPresentModeKHR mode,
                                             const PresentationSupport& support) {
    using From = core::PresentTarget::From;
    if (!can_wait(mode))
        return std::nullopt;
    if (const auto* timing = wish.timing;
        timing != nullptr && timing->targetTime != 0 && support.schedules) {
        const bool relative =
            (timing->flags & VK_PRESENT_TIMING_INFO_PRESENT_AT_RELATIVE_TIME_BIT_EXT) != 0;
        const bool nearest =
            (timing->flags & VK_PRESENT_TIMING_INFO_PRESENT_AT_NEAREST_REFRESH_CYCLE_BIT_EXT) != 0;
        return core::PresentTarget{relative ? From::last_image : From::clock,
                                   core::nanoseconds_of(timing->targetTime), nearest};
    }
    if (const auto* time = wish.time; time != nullptr && time->desiredPresentTime != 0) {
        // "Relative to a monotonically-increasing clock (e.g. CLOCK_MONOTONIC)".
        const Clock::time_point monotonic(core::nanoseconds_of(time->desiredPresentTime));
        return core::PresentTarget{From::clock,
                                   support.clock.from_monotonic(monotonic).time_since_epoch()};
    }
    return std::nullopt;
}

} // namespace

VkPresentStageFlagsEXT stages_of(const PresentationSupport& support) {
    return support.reports ? queue_end | shown_stages : queue_end;
}

void PresentTiming::State::ended(PresentSerial serial, std::optional<PresentationTime> at) {
    results.set(serial, queue_end, at ? core::vulkan_time(*at) : 0);
    display_timings.rendered(serial, at);
}

void PresentTiming::State::forget(PresentSerial serial) {
    results.remove(serial);
    display_timings.remove(serial);
    schedule.discarded(serial);
    renderings.remove_if([&](const Rendering& each) { return each.serial == serial; });
}

VkResult PresentTiming::begin(std::optional<Request>& request, const TimingWish& given, uint64_t id,
                              VkPresentModeKHR mode, const sync::Rendering& rendering) {
    const TimingWish wish = used(given);
    if (!use_.timing && wish.time == nullptr)
        return VK_SUCCESS;
    const auto serial = state_.with([](State& state) {
        return state.last_serial = PresentSerial{static_cast<uint64_t>(state.last_serial) + 1};
    });
    const PresentationTime now = support_.clock.now();
    const auto target = choose_target(wish, mode, now);
    request.emplace(*this, serial, target);

    const auto stages = wish.timing == nullptr ? 0 : wish.timing->presentStageQueries;
    if (stages != 0) {
        const core::TimingQuery query = {.serial = serial,
                                         .present_id = id,
                                         .target_time = wish.timing->targetTime,
                                         .time_domain = wish.timing->timeDomainId,
                                         .stages = stages};
        const bool added = state_.with([&](State& state) { return state.results.add(query); });
        if (!added) {
            request.reset();
            return VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT;
        }
        state_.with([&](State& state) { state.results.set(serial, ~stages_of(support_), 0); });
    }
    if (wish.time != nullptr && support_.reports) {
        const core::DisplayTimingQuery query = {
            .serial = serial,
            .id = wish.time->presentID,
            .desired_time = wish.time->desiredPresentTime,
            .desired = target.transform(
                [](const core::PresentTarget& to) { return PresentationTime(to.time); }),
            .queued = now,
            .immediate = mode == VK_PRESENT_MODE_IMMEDIATE_KHR};
        state_.with([&](State& state) { state.display_timings.add(query); });
    }
    if ((stages & queue_end) != 0 || wish.time != nullptr)
        add_rendering(serial, now, rendering);
    return VK_SUCCESS;
}

/// A list of this rendering; an empty one if memory or descriptors ran out.
std::list<PresentTiming::Rendering>
PresentTiming::copy_rendering(PresentSerial serial, PresentationTime queued,
                              const sync::Rendering& rendering) noexcept {
    sync::Rendering shared = rendering.share();
    std::list<Rendering> one;
    if (!shared.may_run())
        return one;
    try {
        one.push_back({serial, queued, std::move(shared)});
    } catch (const std::bad_alloc&) {
        one.clear();
    }
    return one;
}

std::optional<core::PresentTarget>
PresentTiming::choose_target(const TimingWish& wish, VkPresentModeKHR mode, PresentationTime now) {
    const auto target = target_of(wish, mode, support_);
    if (!target || !core::is_too_far(*target, now))
        return target;
    if (!std::exchange(warned_of_target_, true))
        log::error(
            "vkQueuePresentKHR: the time in VkPresentTimeGOOGLE or VkPresentTimingInfoEXT is "
            "more than a minute ahead; such times are ignored. The clock is CLOCK_MONOTONIC "
            "for VkPresentTimeGOOGLE, and that of the time domain for "
            "VkPresentTimingInfoEXT");
    return std::nullopt;
}

std::optional<Clock::time_point> PresentTiming::end_of_wait(const TimingWish& wish,
                                                            VkPresentModeKHR mode,
                                                            Clock::time_point called) {
    return end_of_wait(choose_target(used(wish), mode, support_.clock.now()), called);
}

std::optional<Clock::time_point>
PresentTiming::end_of_wait(const std::optional<core::PresentTarget>& target,
                           Clock::time_point called) const {
    if (!target || support_.schedules)
        return std::nullopt;
    const auto time = state_.with([&](const State& state) {
        return core::time_to_queue(PresentationTime(target->time), state.schedule.last_shown(),
                                   state.refresh.duration());
    });
    return std::min(support_.clock.to_monotonic(time), called + longest_wait);
}

void PresentTiming::add_rendering(PresentSerial serial, PresentationTime queued,
                                  const sync::Rendering& rendering) {
    std::list<Rendering> one = copy_rendering(serial, queued, rendering);
    const size_t pending = state_.with([&](State& state) {
        if (!rendering.may_run()) // it had ended, and the operations end with the request
            state.ended(serial, queued);
        else if (one.empty()) // it will not be known when
            state.ended(serial, std::nullopt);
        else
            state.renderings.splice(state.renderings.end(), one);
        return state.renderings.size();
    });
    // The descriptors of an application that never asks for results do not pile up.
    if (pending >= most_renderings)
        update_renderings();
}

void PresentTiming::expect(PresentSerial serial, PresentationTime at) {
    state_.with([&](State& state) { state.schedule.expect(serial, at); });
}

void PresentTiming::shown(PresentSerial serial, const core::RefreshReport& report) {
    state_.with([&](State& state) {
        state.refresh.shown(report);
        state.schedule.shown(serial, report.shown);
        state.results.set(serial, shown_stages, core::vulkan_time(report.shown));
        state.display_timings.shown(serial, report.shown, state.cycle());
    });
}

void PresentTiming::discarded(PresentSerial serial) {
    state_.with([&](State& state) {
        state.schedule.discarded(serial);
        state.results.set(serial, shown_stages, 0);
        state.display_timings.remove(serial);
    });
}

/// When a rendering has ended. A VkFence does not tell, and the time at which somebody notices is
/// not the time of the stage.
/// @return nothing: it has not ended. The clock's start: nobody knows when it did
std::optional<Clock::time_point> PresentTiming::end_of(const Rendering& each) {
    if (each.rendering.has_vk_fence())
        return each.rendering.has_ended() ? std::optional(Clock::time_point()) : std::nullopt;
    const auto signalled = ioctl::signal_time(each.rendering.sync_file());
    if (signalled)
        return *signalled;
    return ioctl::means_unsupported(signalled.error()) ? std::optional(Clock::time_point())
                                                       : std::nullopt;
}

void PresentTiming::update_renderings() {
    // The kernel is asked without the lock. Meanwhile, other threads do not see these renderings.
    auto asked = state_.with([](State& state) { return std::move(state.renderings); });
    for (auto each = asked.begin(); each != asked.end();) {
        const auto ended = end_of(*each);
        if (!ended) {
            ++each;
            continue;
        }
        std::optional<PresentationTime> at;
        if (*ended != Clock::time_point())
            // A wait for what has signalled before ends at once.
            at = std::max(support_.clock.from_monotonic(*ended), each->queued);
        state_.with([&](State& state) { state.ended(each->serial, at); });
        each = asked.erase(each);
    }
    state_.with([&](State& state) { state.renderings.splice(state.renderings.begin(), asked); });
}

PresentTiming::Request::~Request() {
    if (failed_)
        timing_.state_.with([&](State& state) { state.forget(serial_); });
}

std::optional<PresentTiming::Request::NotBefore> PresentTiming::Request::schedule() {
    const PresentationSupport& support = timing_.support_;
    const PresentationTime now = support.clock.now();
    const auto time = timing_.state_.with(
        [&](State& state) { return state.schedule.queue(serial_, target_, now, state.cycle()); });
    if (!time || !support.schedules)
        return std::nullopt;
    return NotBefore{*time, support.clock.to_monotonic(*time)};
}

} // namespace fencebridge
