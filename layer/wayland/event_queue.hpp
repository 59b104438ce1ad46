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

#include "util/deadline.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The application's connection, and what all event queues on it share.
struct Display {
    wl_display* const handle;
    std::atomic<bool> loss_logged = false;
};

/// A private event queue on the application's connection. Events are dispatched by whichever of
/// the application's threads waits; there is no thread of ours.
///
/// Handlers run on one thread at a time, without a lock held. A thread that comes while another
/// dispatches waits for that one's result instead.
///
/// A wait looks like this, so that an event that another thread dispatches between the check and
/// the wait is not slept through:
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

    /// Counts rounds of dispatching.
    enum class Stamp : uint64_t {};

    /// Runs the handlers of what has been read from the socket already. No system call.
    /// @return VK_ERROR_SURFACE_LOST_KHR when the connection is dead
    [[nodiscard]] std::expected<Stamp, VkResult> dispatch_pending();

    /// The same for a caller that comes again and again and may never have to wait: one call in
    /// `calls_to_a_look`, counted from when the socket was last read through this queue, looks
    /// there first, so that what the caller's requests are answered with does not pile up in an
    /// application that reads nothing. The look takes one system call if nothing has come.
    [[nodiscard]] std::expected<Stamp, VkResult> keep_up();
    static constexpr uint32_t calls_to_a_look = 16;

    /// Sends what is buffered, then waits until events have been dispatched since `seen` was
    /// given, or something has happened on one of `also`, at most until the deadline. Looks at the
    /// socket once even if that has passed.
    /// @param also  at most core::max_images; filled in as by poll(2). For one thread at a time.
    /// @return VK_SUCCESS, VK_TIMEOUT or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait(Stamp seen, const Deadline& deadline, std::span<pollfd> also = {});

    /// Waits without a limit, but for the connection's end, until `holds()`, which is asked after
    /// each round of dispatching, and once before the first wait.
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
    /// thread knows yet: what another dispatches before there is a listener would be dropped.
    /// @return VK_SUCCESS, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult round_trip();

    /// Flushes, then polls `others` for at most 100 ms. Does not read events: the caller does not
    /// need them to end its wait. After 100 ms wait() reads them for the application.
    /// @param others  at most core::max_images; filled in as by poll(2)
    /// @return true when `others` ended the poll; false: call wait()
    [[nodiscard]] bool wait_for_others(const Deadline& deadline, std::span<pollfd> others);

    /// Hands buffered requests to the socket as far as it takes them, without waiting.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult flush();

private:
    /// The right to dispatch, which one thread has at a time.
    class Turn;

    VkResult look();
    VkResult read_and_dispatch(const Deadline& deadline, std::span<pollfd> also);
    /// After a call of libwayland's that fails on a dead connection alone: logs, once for all
    /// queues, what it died of.
    /// @return VK_ERROR_SURFACE_LOST_KHR, by its type an error
    std::unexpected<VkResult> lost();

    Display& display_;
    Proxy<wl_event_queue> handle_;
    std::atomic<uint32_t> calls_since_look_ = 0;

    // Behind mutex_:
    std::mutex mutex_;
    std::condition_variable round_ended_;
    bool dispatching_ = false;
    uint64_t rounds_ = 0;
};

} // namespace fencebridge::wayland
