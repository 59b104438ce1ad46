// SPDX-License-Identifier: MIT
// The time from vkQueuePresentKHR until the compositor shows the image, by wp_presentation.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "still/connection.hpp"

namespace fencebridge::bench {

class Presentations {
public:
    // Throws still::Unsupported if the compositor lacks wp_presentation.
    explicit Presentations(still::Connection& connection);
    ~Presentations();
    Presentations(const Presentations&) = delete;
    Presentations& operator=(const Presentations&) = delete;

    // Call this before vkQueuePresentKHR: the surface's next commit is followed.
    void expect(wl_surface* surface);
    // Dispatches what the compositor has told, without waiting.
    void dispatch();

    // Of every commit that was shown, the time since expect().
    const std::vector<std::chrono::nanoseconds>& shown() const { return shown_; }
    // The number of commits that were replaced before they could be shown.
    uint64_t discarded() const { return discarded_; }

private:
    // CLOCK_MONOTONIC, which all compositors of the lab present by.
    using Clock = std::chrono::steady_clock;

    struct QueueDeleter {
        void operator()(wl_event_queue* queue) const { wl_event_queue_destroy(queue); }
    };
    // A commit that the compositor has not told about yet.
    struct Commit {
        Presentations& owner;
        Clock::time_point expected;
        still::Proxy<struct wp_presentation_feedback> feedback;
    };
    void forget(const Commit* commit);

    wl_display* const display_;
    wp_presentation* const presentation_;
    std::unique_ptr<wl_event_queue, QueueDeleter> queue_;
    std::vector<std::unique_ptr<Commit>> pending_;
    std::vector<std::chrono::nanoseconds> shown_;
    uint64_t discarded_ = 0;
};

} // namespace fencebridge::bench
