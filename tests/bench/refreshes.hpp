// SPDX-License-Identifier: MIT
// Counts the compositor's refreshes. A compositor that is configured for 60 Hz may start a timer of
// 16 ms when a repaint has ended. Its period is then 16 ms and the time of a repaint, so FIFO has
// to be compared with the actual rate.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "still/connection.hpp"

namespace fencebridge::bench {

class Refreshes {
public:
    // Counts from now on, with a thread and an event queue of its own. It commits a subsurface of
    // `parent`, one pixel in size, with every refresh.
    Refreshes(still::Connection& connection, wl_surface* parent);
    ~Refreshes();
    Refreshes(const Refreshes&) = delete;
    Refreshes& operator=(const Refreshes&) = delete;

    uint64_t count() const { return count_; }

private:
    struct QueueDeleter {
        void operator()(wl_event_queue* queue) const { wl_event_queue_destroy(queue); }
    };
    void commit();
    void refreshed();

    wl_display* const display_;
    std::unique_ptr<wl_event_queue, QueueDeleter> queue_;
    still::Proxy<wl_buffer> pixel_;
    still::Proxy<wl_surface> surface_;
    still::Proxy<wl_subsurface> role_;
    still::Proxy<wl_callback> callback_;
    std::atomic<uint64_t> count_ = 0;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

} // namespace fencebridge::bench
