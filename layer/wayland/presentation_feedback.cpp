// SPDX-License-Identifier: MIT
#include "wayland/presentation_feedback.hpp"

#include <algorithm>
#include <cstring>

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

void PresentationGlobal::bind(wl_registry* registry, uint32_t name, const char* interface) {
    if (std::strcmp(interface, wp_presentation_interface.name) == 0)
        presentation_.reset(static_cast<wp_presentation*>(
            wl_registry_bind(registry, name, &wp_presentation_interface, 1)));
}

struct PresentationFeedback::Handlers {
    using Feedback = struct wp_presentation_feedback;

    static void sync_output(void*, Feedback*, wl_output*) {}
    static void presented(void* data, Feedback*, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                          uint32_t, uint32_t) {
        finish(data, &core::PresentCompletions::presented);
    }
    static void discarded(void* data, Feedback*) {
        finish(data, &core::PresentCompletions::discarded);
    }
    static void frame_done(void* data, wl_callback*, uint32_t) {
        finish(data, &core::PresentCompletions::presented);
    }
    static void woken(void*, wl_callback*, uint32_t) {}

    static void finish(void* data, void (core::PresentCompletions::*outcome)(core::PresentId)) {
        const auto* done = static_cast<Pending*>(data);
        done->owner->state_.with([&](State& state) {
            (state.completions.*outcome)(done->id);
            state.pending.remove_if([&](const Pending& each) { return &each == done; });
        });
    }
};

PresentationFeedback::PresentationFeedback(Display& display, const PresentationGlobal& global) :
    has_presentation_(global.get() != nullptr), queue_(display),
    presentation_(queue_ && has_presentation_ ? wrap(global.get(), queue_.get()) : nullptr),
    display_(queue_ ? wrap(display.handle, queue_.get()) : nullptr) {}

PresentationFeedback::Request::Request(PresentationFeedback& owner, core::PresentId id) :
    owner_(owner) {
    node_.push_back({.owner = &owner, .id = id});
    owner.state_.with([&](State& state) { state.completions.expect(id); });
}

PresentationFeedback::Request::~Request() {
    if (!node_.empty())
        owner_.state_.with([&](State& state) { state.completions.withdraw(node_.front().id); });
}

void PresentationFeedback::Request::send(wl_surface* surface) {
    static constexpr wp_presentation_feedback_listener feedback_listener = {
        .sync_output = &Handlers::sync_output,
        .presented = &Handlers::presented,
        .discarded = &Handlers::discarded,
    };
    static constexpr wl_callback_listener frame_listener = {.done = &Handlers::frame_done};
    Pending& pending = node_.front();
    pending.since = Clock::now();
    if (owner_.has_presentation_) {
        pending.feedback.reset(wp_presentation_feedback(owner_.presentation_.get(), surface));
        if (pending.feedback)
            wp_presentation_feedback_add_listener(pending.feedback.get(), &feedback_listener,
                                                  &pending);
    } else if (const auto wrapper = wrap(surface, owner_.queue_.get())) {
        pending.callback.reset(wl_surface_frame(wrapper.get()));
        if (pending.callback)
            wl_callback_add_listener(pending.callback.get(), &frame_listener, &pending);
    }
    const bool sent = pending.feedback || pending.callback;
    owner_.state_.with([&](State& state) {
        if (sent)
            state.pending.splice(state.pending.end(), node_);
        else
            state.completions.discarded(pending.id);
    });
    node_.clear();
}

VkResult PresentationFeedback::update() {
    const auto handled = queue_.dispatch_pending();
    return handled ? VK_SUCCESS : handled.error();
}

void PresentationFeedback::end(VkResult why) {
    static constexpr wl_callback_listener listener = {.done = &Handlers::woken};
    state_.with([&](State& state) { state.completions.end(why); });
    // The answer wakes a thread that waits for a request that is never made.
    if (wake_up_ || !display_)
        return;
    wake_up_.reset(wl_display_sync(display_.get()));
    if (wake_up_)
        wl_callback_add_listener(wake_up_.get(), &listener, nullptr);
    static_cast<void>(queue_.flush());
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
            state.completions.discarded(oldest.id);
            state.pending.pop_front();
        }
        return std::nullopt;
    });
}

VkResult PresentationFeedback::wait(core::PresentId id, const Deadline& deadline) {
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
