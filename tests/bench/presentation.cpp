// SPDX-License-Identifier: MIT
#include "presentation.hpp"

#include "still/failure.hpp"

namespace fencebridge::bench {

Presentations::Presentations(still::Connection& connection) :
    display_(connection.display()), presentation_(connection.presentation()),
    queue_(wl_display_create_queue(display_)) {
    if (!presentation_)
        throw still::Unsupported("the compositor lacks wp_presentation");
    // A feedback has the queue of the object that creates it.
    wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(presentation_), queue_.get());
}

Presentations::~Presentations() {
    wl_proxy_set_queue(reinterpret_cast<wl_proxy*>(presentation_), nullptr);
}

void Presentations::expect(wl_surface* surface) {
    static constexpr wp_presentation_feedback_listener listener{
        .sync_output = [](void*, struct wp_presentation_feedback*, wl_output*) {},
        .presented =
            [](void* data, struct wp_presentation_feedback*, uint32_t seconds_high,
               uint32_t seconds_low, uint32_t nanoseconds, uint32_t, uint32_t, uint32_t, uint32_t) {
                const auto* commit = static_cast<Commit*>(data);
                const std::chrono::seconds seconds(int64_t(seconds_high) << 32 | seconds_low);
                const Clock::time_point shown(seconds + std::chrono::nanoseconds(nanoseconds));
                commit->owner.shown_.push_back(shown - commit->expected);
                commit->owner.forget(commit);
            },
        .discarded =
            [](void* data, struct wp_presentation_feedback*) {
                const auto* commit = static_cast<Commit*>(data);
                ++commit->owner.discarded_;
                commit->owner.forget(commit);
            },
    };
    auto commit = std::make_unique<Commit>(Commit{*this, Clock::now(), nullptr});
    commit->feedback.reset(wp_presentation_feedback(presentation_, surface));
    wp_presentation_feedback_add_listener(commit->feedback.get(), &listener, commit.get());
    pending_.push_back(std::move(commit));
}

void Presentations::dispatch() {
    if (wl_display_dispatch_queue_pending(display_, queue_.get()) < 0)
        throw still::Failure("the compositor went away");
}

void Presentations::forget(const Commit* commit) {
    std::erase_if(pending_, [&](const auto& one) { return one.get() == commit; });
}

} // namespace fencebridge::bench
