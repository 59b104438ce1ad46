// SPDX-License-Identifier: MIT
// What the compositor reports about each commit, by wp_presentation: the judge of what the layer
// reports.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "still/connection.hpp"

namespace fencebridge::screen {

// A commit that was shown, at a time of the compositor's clock; or that never will be.
struct Outcome {
    bool shown;
    uint64_t time_ns;    // of a shown one
    uint64_t refresh_ns; // of a shown one; 0: unknown, or variable
};

class Judge {
public:
    // Throws still::Unsupported if the compositor lacks wp_presentation.
    explicit Judge(still::Connection& connection);
    ~Judge();
    Judge(const Judge&) = delete;
    Judge& operator=(const Judge&) = delete;

    // Call this before vkQueuePresentKHR. Returns the number of the surface's next commit.
    size_t expect(wl_surface* surface);
    // What the compositor has reported so far.
    std::optional<Outcome> outcome_of(size_t commit);
    // Waits for the report.
    Outcome wait_for(size_t commit);

private:
    struct QueueDeleter {
        void operator()(wl_event_queue* queue) const { wl_event_queue_destroy(queue); }
    };
    struct Commit {
        std::optional<Outcome> outcome;
        still::Proxy<struct wp_presentation_feedback> feedback;
    };

    wl_display* const display_;
    wp_presentation* const presentation_;
    std::unique_ptr<wl_event_queue, QueueDeleter> queue_;
    std::vector<std::unique_ptr<Commit>> commits_;
};

} // namespace fencebridge::screen
