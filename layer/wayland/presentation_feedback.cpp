// SPDX-License-Identifier: MIT
#include "wayland/presentation_feedback.hpp"

#include <algorithm>
#include <new>

#include "core/frame_pacing.hpp"

// The header has a structure and a function of the same name.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "presentation-time-client-protocol.h"
#pragma GCC diagnostic pop

namespace fencebridge::wayland {

void PresentationDestroyer::operator()(wp_presentation* presentation) const {
    wp_presentation_destroy(presentation);
}
void PresentationDestroyer::operator()(struct wp_presentation_feedback* feedback) const {
    wp_presentation_feedback_destroy(feedback);
}

struct PresentationGlobal::Handlers {
    static void clock_id(void* data, wp_presentation*, uint32_t id) {
        static_cast<PresentationGlobal*>(data)->clock_ = id;
    }
};

void PresentationGlobal::bind(AnnouncedGlobal& global) {
    static constexpr wp_presentation_listener listener = {.clock_id = &Handlers::clock_id};
    if (!global.is(wp_presentation_interface))
        return;
    const auto known = static_cast<uint32_t>(wp_presentation_interface.version);
    presentation_.reset(global.bind<wp_presentation>(
        wp_presentation_interface, std::min({global.version(), known, uint32_t{2}})));
    if (presentation_)
        wp_presentation_add_listener(presentation_.get(), &listener, this);
}

struct PresentationFeedback::Handlers {
    using Feedback = struct wp_presentation_feedback;

    static void sync_output(void*, Feedback*, wl_output*) {}
    static void presented(void* data, Feedback* feedback, uint32_t seconds_high,
                          uint32_t seconds_low, uint32_t nanoseconds, uint32_t refresh, uint32_t,
                          uint32_t, uint32_t flags) {
        constexpr uint32_t hardware =
            WP_PRESENTATION_FEEDBACK_KIND_VSYNC | WP_PRESENTATION_FEEDBACK_KIND_HW_CLOCK;
        const auto& done = *static_cast<Pending*>(data);
        // At most 146 years, half of what the type can hold, so that sums and differences fit.
        constexpr uint64_t most = INT64_MAX / 1'000'000'000 / 2;
        const uint64_t seconds = (uint64_t{seconds_high} << 32) | seconds_low;
        const std::chrono::seconds whole(static_cast<int64_t>(std::min(seconds, most)));
        const core::PresentationTime shown(whole + std::chrono::nanoseconds(nanoseconds));
        if (done.timing != nullptr)
            done.timing->shown(done.serial,
                               {.shown = shown,
                                .refresh = std::chrono::nanoseconds(refresh),
                                .version = wp_presentation_feedback_get_version(feedback),
                                .by_hardware = (flags & hardware) == hardware});
        if (done.trace != nullptr)
            done.trace->shown(done.frame, done.owner->clock_.to_monotonic(shown),
                              std::chrono::nanoseconds(refresh));
        finish(data, &core::PresentCompletions::presented);
    }
    static void discarded(void* data, Feedback*) {
        const auto& done = *static_cast<Pending*>(data);
        if (done.timing != nullptr)
            done.timing->discarded(done.serial);
        finish(data, &core::PresentCompletions::discarded);
    }
    static void frame_done(void* data, wl_callback*, uint32_t) {
        finish(data, &core::PresentCompletions::presented);
    }
    static void woken(void*, wl_callback*, uint32_t) {}
    static void marker_came(void* data, wl_callback*, uint32_t) {
        static_cast<PresentationFeedback*>(data)->marker_.reset();
    }

    static void finish(void* data, void (core::PresentCompletions::*outcome)(core::PresentId)) {
        const auto* done = static_cast<Pending*>(data);
        done->owner->state_.with([&](State& state) {
            if (done->id)
                (state.completions.*outcome)(*done->id);
            for (auto* list : {&state.given_up, &state.pending}) {
                // Most often the first: reports come in the order of the commits.
                const auto found =
                    std::ranges::find(*list, done, [](const Pending& each) { return &each; });
                if (found != list->end()) {
                    list->erase(found);
                    return;
                }
            }
        });
    }
};

PresentationFeedback::PresentationFeedback(Display& display, const PresentationGlobal& global,
                                           PresentClock clock) :
    has_presentation_(global.get() != nullptr),
    clock_(clock), queue_(display),
    presentation_(queue_ && has_presentation_ ? wrap(global.get(), queue_.get()) : nullptr),
    display_(queue_ ? wrap(display.handle, queue_.get()) : nullptr), marker_queue_(display),
    marker_display_(marker_queue_ ? wrap(display.handle, marker_queue_.get()) : nullptr) {}

PresentationFeedback::Request::Request(PresentationFeedback& owner,
                                       std::optional<core::PresentId> id,
                                       PresentTiming::Request* timed, trace::FrameTrace* trace,
                                       uint64_t frame) :
    owner_(owner),
    id_(id), timed_(timed) {
    try {
        node_.push_back({.owner = &owner, .id = id, .trace = trace, .frame = frame});
        if (id)
            owner.state_.with([&](State& state) { state.completions.expect(*id); });
    } catch (const std::bad_alloc&) {
        node_.clear();
        return;
    }
    if (timed != nullptr) {
        node_.front().timing = &timed->timing();
        node_.front().serial = timed->serial();
    }
}

PresentationFeedback::Request::~Request() {
    if (!node_.empty() && id_)
        owner_.state_.with([&](State& state) { state.completions.withdraw(*id_); });
}

void PresentationFeedback::Request::send(wl_surface* surface) {
    end(!node_.empty() && ask(node_.front(), surface));
}

/// @param sent  the compositor will report the outcome
void PresentationFeedback::Request::end(bool sent) {
    const bool tells_time = sent && node_.front().feedback;
    if (timed_ != nullptr) {
        timed_->queued();
        if (!tells_time)
            timed_->timing().discarded(timed_->serial()); // no report will come
    }
    const bool wakes = owner_.state_.with([&](State& state) {
        // Threads that wait although no callback is pending do not know when to give this one up.
        const bool first = !owner_.has_presentation_ && state.pending.empty();
        if (sent)
            state.pending.splice(state.pending.end(), node_);
        else if (id_)
            state.completions.discarded(*id_);
        // If the request is not complete, the report of an earlier one will wake them.
        const bool completes = !sent && id_ && state.completions.result_for(*id_);
        return state.waiting > 0 && (first || completes);
    });
    node_.clear();
    if (wakes)
        owner_.wake_waiting();
}

/// @return false if nothing will tell the outcome of the commit
bool PresentationFeedback::Request::ask(Pending& pending, wl_surface* surface) const {
    static constexpr wp_presentation_feedback_listener feedback_listener = {
        .sync_output = &Handlers::sync_output,
        .presented = &Handlers::presented,
        .discarded = &Handlers::discarded,
    };
    static constexpr wl_callback_listener frame_listener = {.done = &Handlers::frame_done};
    pending.since = Clock::now();
    if (owner_.has_presentation_) {
        pending.feedback.reset(wp_presentation_feedback(owner_.presentation_.get(), surface));
        if (pending.feedback)
            wp_presentation_feedback_add_listener(pending.feedback.get(), &feedback_listener,
                                                  &pending);
    } else if (const auto wrapper = pending.id ? wrap(surface, owner_.queue_.get()) : nullptr) {
        pending.callback.reset(wl_surface_frame(wrapper.get()));
        if (pending.callback)
            wl_callback_add_listener(pending.callback.get(), &frame_listener, &pending);
    }
    return pending.feedback || pending.callback;
}

VkResult PresentationFeedback::update() {
    const auto handled = queue_.dispatch_pending();
    return handled ? VK_SUCCESS : handled.error();
}

VkResult PresentationFeedback::receive() {
    const auto handled = queue_.dispatch_pending();
    if (!handled)
        return handled.error();
    const VkResult result = queue_.wait(*handled, Deadline::immediate());
    return result == VK_TIMEOUT ? VK_SUCCESS : result;
}

void PresentationFeedback::end(VkResult why) {
    const bool wakes = state_.with([&](State& state) {
        state.completions.end(why);
        return state.waiting > 0;
    });
    if (!wakes)
        return;
    wake_waiting();
    static_cast<void>(queue_.send());
}

/// Makes the threads in wait() look at the state again. For the presenting thread. The caller
/// flushes: the compositor's answer wakes the threads.
///
/// Another request, the marker, is answered first, on a queue that only this thread dispatches. As
/// long as that answer has not come, the threads have yet to be woken, and no more requests are
/// made: a compositor that does not read them would have its socket filled.
void PresentationFeedback::wake_waiting() {
    static constexpr wl_callback_listener marker_listener = {.done = &Handlers::marker_came};
    static constexpr wl_callback_listener listener = {.done = &Handlers::woken};
    if (!marker_queue_.dispatch_pending() || marker_)
        return;
    marker_.reset(wl_display_sync(marker_display_.get()));
    if (marker_)
        wl_callback_add_listener(marker_.get(), &marker_listener, this);
    wake_up_.reset(wl_display_sync(display_.get()));
    if (wake_up_)
        wl_callback_add_listener(wake_up_.get(), &listener, nullptr);
}

/// Counts requests whose callback is overdue as complete.
/// @return when the next callback will be overdue; nothing if none is pending
std::optional<Clock::time_point> PresentationFeedback::give_up_callbacks() {
    const auto now = Clock::now();
    return state_.with([&](State& state) -> std::optional<Clock::time_point> {
        while (!state.pending.empty() && state.pending.front().callback) {
            const Pending& oldest = state.pending.front();
            if (now < oldest.since + core::hidden_after)
                return oldest.since + core::hidden_after;
            state.completions.discarded(*oldest.id);
            state.given_up.splice(state.given_up.end(), state.pending, state.pending.begin());
        }
        return std::nullopt;
    });
}

VkResult PresentationFeedback::wait(core::PresentId id, const Deadline& deadline) {
    state_.with([](State& state) { ++state.waiting; });
    const VkResult result = wait_for(id, deadline);
    state_.with([](State& state) { --state.waiting; });
    return result;
}

VkResult PresentationFeedback::wait_for(core::PresentId id, const Deadline& deadline) {
    for (;;) {
        const auto handled = queue_.dispatch_pending();
        if (!handled)
            return handled.error();
        const auto next_due = give_up_callbacks();
        if (const auto result =
                state_.with([&](const State& state) { return state.completions.result_for(id); }))
            return *result;
        const bool gives_up_first = next_due && (!deadline.time() || *next_due < *deadline.time());
        const VkResult result =
            queue_.wait(*handled, gives_up_first ? Deadline::at(*next_due) : deadline);
        if (result != VK_SUCCESS && (result != VK_TIMEOUT || !gives_up_first))
            return result;
    }
}

} // namespace fencebridge::wayland
