// SPDX-License-Identifier: MIT
#include "wayland/commit_answers.hpp"

#include <atomic>
#include <new>
#include <utility>

#include "wayland/event_queue.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The answer to one wl_display.sync. It has an event queue of its own, which no other thread
/// dispatches before the listener is added. An answer without a listener would be lost, and no
/// later present would make a commit.
struct CommitAnswers::Answer {
    explicit Answer(Display& display) : queue(display) {}

    EventQueue queue;
    Proxy<wl_callback> callback;
    std::atomic<bool> came = false;
};

struct CommitAnswers::Handlers {
    static void done(void* data, wl_callback*, uint32_t) {
        *static_cast<std::atomic<bool>*>(data) = true;
    }
};

VkResult CommitAnswers::wait() {
    const auto answer = state_.with([](const State& state) { return state.answer; });
    if (!answer)
        return VK_SUCCESS;
    const VkResult result = wait_for(*answer);
    if (answer->came)
        state_.with([&](State& state) {
            if (state.answer != answer)
                return; // another thread has seen it
            state.commits.answered();
            state.answer.reset();
        });
    return result;
}

VkResult CommitAnswers::wait_for(Answer& answer) const {
    for (;;) {
        const auto handled = answer.queue.dispatch_pending();
        if (!handled)
            return handled.error();
        const auto until = wait_limit();
        if (answer.came || !until)
            return VK_SUCCESS;
        // If that time has passed, this still reads the events that have arrived.
        const VkResult result = answer.queue.wait(*handled, Deadline::at(*until));
        if (result == VK_TIMEOUT && answer.came)
            return VK_SUCCESS;
        if (result != VK_SUCCESS)
            return result;
    }
}

std::optional<Clock::time_point> CommitAnswers::wait_limit() const {
    return state_.with([](const State& state) { return state.commits.wait_limit(); });
}

bool CommitAnswers::next_may_be_last() const {
    return state_.with([](const State& state) { return state.commits.next_may_be_last(); });
}

void CommitAnswers::committed() {
    const bool wants = state_.with([](const State& state) { return state.commits.wants_answer(); });
    auto answer = wants ? request() : nullptr;
    state_.with([&](State& state) {
        if (answer) {
            state.answer = std::move(answer);
            state.commits.requested_answer(Clock::now());
        } else { // also if memory could not be allocated: the next commit tries again
            state.commits.requested_none();
        }
    });
}

/// @return null if memory could not be allocated
std::shared_ptr<CommitAnswers::Answer> CommitAnswers::request() const {
    static constexpr wl_callback_listener listener = {.done = &Handlers::done};
    std::shared_ptr<Answer> answer;
    try {
        answer = std::make_shared<Answer>(display_);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
    const auto on_queue = answer->queue ? wrap(display_.handle, answer->queue.get()) : nullptr;
    answer->callback.reset(on_queue ? wl_display_sync(on_queue.get()) : nullptr);
    if (!answer->callback)
        return nullptr;
    wl_callback_add_listener(answer->callback.get(), &listener, &answer->came);
    return answer;
}

} // namespace fencebridge::wayland
