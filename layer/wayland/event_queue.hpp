// SPDX-License-Identifier: MIT
#pragma once

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
    explicit EventQueue(wl_display* display);

    [[nodiscard]] explicit operator bool() const { return handle_ != nullptr; }
    [[nodiscard]] wl_display* display() const { return display_; }
    [[nodiscard]] wl_event_queue* get() const { return handle_.get(); }

    /// Counts rounds of dispatching.
    enum class Stamp : uint64_t {};

    /// Runs the handlers of what has been read from the socket already. No system call.
    /// @return VK_ERROR_SURFACE_LOST_KHR when the connection is dead
    [[nodiscard]] std::expected<Stamp, VkResult> dispatch_pending();

    /// Sends what is buffered, then waits until events have been dispatched since `seen` was
    /// given, or something has happened on one of `also`, at most until the deadline. Looks at the
    /// socket once even if that has passed.
    /// @param also  at most core::max_images; filled in as by poll(2). For one thread at a time.
    /// @return VK_SUCCESS, VK_TIMEOUT or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait(Stamp seen, const Deadline& deadline, std::span<pollfd> also = {});

    /// Sends what is buffered, then waits for something to happen on one of `others`, for a tenth
    /// of a second at most. Reads no events: a wait that they need not end is none the shorter for
    /// them, and the application may want them read after that time.
    /// @param others  at most core::max_images; filled in as by poll(2)
    /// @return false: wait() is to tell whether there is anything else
    [[nodiscard]] bool wait_for_others(const Deadline& deadline, std::span<pollfd> others);

    /// Hands buffered requests to the socket as far as it takes them, without waiting.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult flush();

private:
    /// The right to dispatch, which one thread has at a time.
    class Turn;

    VkResult read_and_dispatch(const Deadline& deadline, std::span<pollfd> also);
    VkResult check_connection();

    wl_display* display_;
    Proxy<wl_event_queue> handle_;

    // Behind mutex_:
    std::mutex mutex_;
    std::condition_variable round_ended_;
    bool dispatching_ = false;
    uint64_t rounds_ = 0;
    bool loss_logged_ = false;
};

} // namespace fencebridge::wayland
