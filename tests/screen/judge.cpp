// SPDX-License-Identifier: MIT
#include "judge.hpp"

#include "still/failure.hpp"

namespace fencebridge::screen {

Judge::Judge(still::Connection& connection) :
    display_(connection.display()), presentation_(connection.presentation()),
    queue_(wl_display_create_queue(display_)) {
    if (!presentation_)
        throw still::Unsupported("the compositor lacks wp_presentation");
    // A feedback has the queue of the object that creates it.
    wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(presentation_), queue_.get());
}

Judge::~Judge() {
    commits_.clear();
    wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(presentation_), nullptr);
}

size_t Judge::expect(wl_surface* surface) {
    static constexpr wp_presentation_feedback_listener listener{
        .sync_output = [](void*, struct wp_presentation_feedback*, wl_output*) {},
        .presented =
            [](void* data, struct wp_presentation_feedback*, uint32_t seconds_high,
               uint32_t seconds_low, uint32_t nanoseconds, uint32_t refresh, uint32_t, uint32_t,
               uint32_t) {
                const uint64_t seconds = uint64_t{seconds_high} << 32 | seconds_low;
                auto& commit = *static_cast<Commit*>(data);
                commit.outcome = {true, seconds * 1'000'000'000 + nanoseconds, refresh};
                commit.feedback.reset();
            },
        .discarded =
            [](void* data, struct wp_presentation_feedback*) {
                auto& commit = *static_cast<Commit*>(data);
                commit.outcome = {false, 0, 0};
                commit.feedback.reset();
            },
    };
    auto commit = std::make_unique<Commit>();
    commit->feedback.reset(wp_presentation_feedback(presentation_, surface));
    wp_presentation_feedback_add_listener(commit->feedback.get(), &listener, commit.get());
    commits_.push_back(std::move(commit));
    return commits_.size() - 1;
}

std::optional<Outcome> Judge::outcome_of(size_t commit) {
    if (wl_display_roundtrip_queue(display_, queue_.get()) < 0)
        throw still::Failure("the compositor went away");
    return commits_[commit]->outcome;
}

Outcome Judge::wait_for(size_t commit) {
    while (!commits_[commit]->outcome) {
        if (wl_display_dispatch_queue(display_, queue_.get()) < 0)
            throw still::Failure("the compositor went away");
    }
    return *commits_[commit]->outcome;
}

} // namespace fencebridge::screen
