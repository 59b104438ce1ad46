// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <mutex>
#include <poll.h>
#include <span>
#include <vulkan/vulkan.h>

#include "core/event_stamp.hpp"
#include "util/deadline.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The application's connection, with what all event queues on it share.
struct Display {
    wl_display* const handle;
    std::atomic<bool> loss_logged = false;
};

/// A private event queue on the application's connection. No thread of the layer's reads events: an
/// application thread that waits in a call of the layer's reads and dispatches them.
///
/// Handlers run on one thread at a time, without a lock held. A thread that calls wait() while
/// another thread dispatches waits for the end of that thread's round.
///
/// wait() returns at once if another thread has dispatched events since the stamp was taken. A wait
/// has this form:
///
///     for (;;) {
///         const auto stamp = queue.dispatch_pending();
///         if (...) return;
///         queue.wait(*stamp, deadline);
///     }
class EventQueue {
public:
    /// @param display  must outlive the queue
    explicit EventQueue(Display& display);

    [[nodiscard]] explicit operator bool() const { return handle_ != nullptr; }
    [[nodiscard]] wl_display* display() const { return display_.handle; }
    [[nodiscard]] wl_event_queue* get() const { return handle_.get(); }

    /// Runs the handlers of the events that have been read from the socket. No system call.
    /// @return the error is VK_ERROR_SURFACE_LOST_KHR: the connection is lost
    [[nodiscard]] std::expected<core::EventStamp, VkResult> dispatch_pending();

    /// The same, but if another thread dispatches, waits for the end of its round first. So the
    /// handlers of all events that were read before the call have run when this returns.
    [[nodiscard]] std::expected<core::EventStamp, VkResult> dispatch_all_pending();

    /// As dispatch_pending(), for a caller that calls once in each frame and possibly never calls
    /// wait(). Reads the socket first if nothing has been read through this queue for
    /// `calls_per_read` calls: otherwise the answers to the caller's requests would pile up in an
    /// application that reads no events. Such a read takes one system call if the socket is empty.
    [[nodiscard]] std::expected<core::EventStamp, VkResult> dispatch_each_frame();
    static constexpr uint32_t calls_per_read = 16;

    /// Waits until events have been dispatched since `seen`, or one of `also` is ready, at most
    /// until the deadline. While another thread dispatches, waits for the end of its round; else
    /// flushes, reads and dispatches. In that case, looks at the socket once even if the deadline
    /// has passed.
    /// @param also  at most core::max_images; filled in as by poll(2). Not polled while another
    ///              thread dispatches, so a thread that passes any must be the only one that waits.
    /// @return VK_SUCCESS, VK_TIMEOUT or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait(core::EventStamp seen, const Deadline& deadline,
                                std::span<pollfd> also = {});

    /// Waits until `holds()` is true, without a deadline; ends when the connection is lost. Calls
    /// `holds()` before the first wait and after each round of dispatching.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    template <class Predicate>
    [[nodiscard]] VkResult wait_until(Predicate&& holds) {
        for (;;) {
            const auto handled = dispatch_pending();
            if (!handled)
                return handled.error();
            if (holds())
                return VK_SUCCESS;
            if (const VkResult result = wait(*handled, Deadline::never()); result != VK_SUCCESS)
                return result;
        }
    }

    /// Waits until the compositor has answered all requests made so far. For a queue that no other
    /// thread uses yet: events that another thread dispatches before the listener is added would be
    /// lost.
    /// @return VK_SUCCESS, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult round_trip();

    /// For a caller whose wait only `others` can end, and no Wayland event. Flushes, then polls
    /// `others` for at most 100 ms, and reads no events. If this returns false, the caller calls
    /// wait(), which reads the events that have arrived for all queues of the connection.
    /// @param others  at most core::max_images; filled in as by poll(2)
    /// @return true when `others` ended the poll; false: call wait()
    [[nodiscard]] bool poll_others(const Deadline& deadline, std::span<pollfd> others);

    /// Sends buffered requests as far as the socket accepts them, without waiting. If the
    /// compositor is gone, reads its last event.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult flush();
    /// The same without the read, which waits for other threads that have prepared one. If the
    /// compositor is gone, whoever reads next notices it.
    [[nodiscard]] VkResult send();
    /// Whether the connection is known to be lost. No system call.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult connection_status();

private:
    /// Held by the thread that dispatches.
    class DispatchRight;

    std::expected<core::EventStamp, VkResult> dispatch_with_right();
    VkResult read_available();
    VkResult read_and_dispatch(const Deadline& deadline, std::span<pollfd> also);
    /// Called after a libwayland call that fails only if the connection is lost. Logs the cause,
    /// once for all queues of the connection.
    /// @return VK_ERROR_SURFACE_LOST_KHR
    std::unexpected<VkResult> lost();

    Display& display_;
    Proxy<wl_event_queue> handle_;
    std::atomic<uint32_t> calls_since_read_ = 0;

    // mutex_ guards dispatching_ and rounds_.
    std::mutex mutex_;
    std::condition_variable round_ended_;
    bool dispatching_ = false;
    uint64_t rounds_ = 0;
};

} // namespace fencebridge::wayland
