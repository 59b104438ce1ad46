// SPDX-License-Identifier: MIT
#include "wayland/event_queue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>

#include "core/surface_limits.hpp"
#include "ioctl/ioctl.hpp"
#include "util/log.hpp"
#include "wayland/protocol_set.hpp"

namespace fencebridge::wayland {

/// The destructor gives up the right and wakes the threads that wait for it. dispatch_pending()
/// does not count a round that dispatched nothing. Otherwise two threads that find nothing would
/// keep waking each other.
class EventQueue::DispatchRight {
public:
    explicit DispatchRight(EventQueue& queue) : queue_(queue) {}
    DispatchRight(const DispatchRight&) = delete;
    DispatchRight& operator=(const DispatchRight&) = delete;
    ~DispatchRight() {
        {
            const std::lock_guard guard(queue_.mutex_);
            queue_.dispatching_ = false;
            queue_.rounds_ += counts_ ? 1 : 0;
        }
        queue_.round_ended_.notify_all();
    }

    void does_not_count() { counts_ = false; }

private:
    EventQueue& queue_;
    bool counts_ = true;
};

EventQueue::EventQueue(Display& display) :
    display_(display), handle_(wl_display_create_queue(display.handle)) {}

std::expected<core::EventStamp, VkResult> EventQueue::dispatch_pending() {
    {
        const std::lock_guard guard(mutex_);
        if (dispatching_)
            return core::EventStamp{rounds_};
        dispatching_ = true;
    }
    return dispatch_with_right();
}

std::expected<core::EventStamp, VkResult> EventQueue::dispatch_all_pending() {
    {
        std::unique_lock lock(mutex_);
        round_ended_.wait(lock, [&] { return !dispatching_; });
        dispatching_ = true;
    }
    return dispatch_with_right();
}

/// dispatch_pending() for the thread that has set dispatching_.
std::expected<core::EventStamp, VkResult> EventQueue::dispatch_with_right() {
    int dispatched;
    {
        DispatchRight right(*this);
        dispatched = wl_display_dispatch_queue_pending(display(), handle_.get());
        if (dispatched == 0)
            right.does_not_count();
    }
    if (dispatched < 0)
        return lost();
    const std::lock_guard guard(mutex_);
    return core::EventStamp{rounds_};
}

std::expected<core::EventStamp, VkResult> EventQueue::dispatch_each_frame() {
    if (++calls_since_read_ >= calls_per_read) {
        if (const VkResult result = read_available(); result != VK_SUCCESS)
            return std::unexpected(result);
    }
    return dispatch_pending();
}

/// Reads and dispatches the events that have arrived, without waiting for more.
///
/// If any have arrived, wl_display_read_events() waits for the other threads that have prepared to
/// read. Threads that poll the socket have been woken by these events. A calling thread that has
/// itself prepared to read would wait for itself (docs/limits.md).
VkResult EventQueue::read_available() {
    calls_since_read_ = 0; // also if another thread is reading already
    const auto stamp = dispatch_pending();
    if (!stamp)
        return stamp.error();
    const VkResult result = wait(*stamp, Deadline::immediate());
    return result == VK_TIMEOUT ? VK_SUCCESS : result;
}

VkResult EventQueue::round_trip() {
    static constexpr wl_callback_listener listener = {
        .done = [](void* data, wl_callback*, uint32_t) { *static_cast<bool*>(data) = true; }};
    const auto on_queue = wrap(display(), handle_.get());
    const Proxy<wl_callback> callback(on_queue ? wl_display_sync(on_queue.get()) : nullptr);
    if (!callback)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    bool answered = false;
    wl_callback_add_listener(callback.get(), &listener, &answered);
    return wait_until([&] { return answered; });
}

VkResult EventQueue::wait(core::EventStamp seen, const Deadline& deadline, std::span<pollfd> also) {
    {
        std::unique_lock lock(mutex_);
        const auto ready = [&] { return core::EventStamp{rounds_} != seen || !dispatching_; };
        if (!deadline.time())
            round_ended_.wait(lock, ready);
        else if (!round_ended_.wait_until(lock, *deadline.time(), ready))
            return VK_TIMEOUT;
        if (core::EventStamp{rounds_} != seen)
            return VK_SUCCESS;
        dispatching_ = true;
    }
    const DispatchRight right(*this);
    return read_and_dispatch(deadline, also);
}

VkResult EventQueue::read_and_dispatch(const Deadline& deadline, std::span<pollfd> also) {
    calls_since_read_ = 0;
    if (wl_display_prepare_read_queue(display(), handle_.get()) != 0) {
        // Another reader has queued events here since the last dispatch.
        if (wl_display_dispatch_queue_pending(display(), handle_.get()) < 0)
            return lost().error();
        return VK_SUCCESS;
    }
    std::array<pollfd, 1 + core::max_images> polled;
    const auto socket = polled.begin();
    std::ranges::copy(also, socket + 1);
    for (;;) {
        short events = POLLIN;
        if (wl_display_flush(display()) < 0 && errno == EAGAIN)
            events |= POLLOUT;
        // On EPIPE, go on: the compositor's last event, a protocol error, may be left to read.
        *socket = {.fd = wl_display_get_fd(display()), .events = events, .revents = 0};
        const auto timeout = deadline.remaining();
        const int ready =
            ::ppoll(polled.data(), 1 + also.size(), timeout ? &*timeout : nullptr, nullptr);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            wl_display_cancel_read(display());
            return ready == 0 ? VK_TIMEOUT : VK_ERROR_SURFACE_LOST_KHR;
        }
        std::ranges::copy_n(socket + 1, static_cast<ptrdiff_t>(also.size()), also.begin());
        if (socket->revents & ~POLLOUT)
            break;
        if (socket->revents == 0) {
            wl_display_cancel_read(display());
            return VK_SUCCESS;
        }
    }
    if (wl_display_read_events(display()) < 0)
        return lost().error();
    const int dispatched = wl_display_dispatch_queue_pending(display(), handle_.get());
    if (dispatched < 0)
        return lost().error();
    // The deadline is checked here as well as in ppoll(). If another thread cancels its prepared
    // read, wl_display_read_events() reads nothing, and the socket stays readable. In each further
    // round of the caller's loop, ppoll() would return at once and never time out.
    const bool others_are_ready =
        std::ranges::any_of(also, [](const pollfd& other) { return other.revents != 0; });
    return dispatched == 0 && !others_are_ready && deadline.has_passed() ? VK_TIMEOUT : VK_SUCCESS;
}

bool EventQueue::poll_others(const Deadline& deadline, std::span<pollfd> others) {
    constexpr timespec longest = {.tv_sec = 0, .tv_nsec = 100'000'000};
    const auto left = deadline.remaining();
    const timespec timeout =
        left && left->tv_sec == 0 && left->tv_nsec < longest.tv_nsec ? *left : longest;
    if (timeout.tv_nsec == 0 || wl_display_flush(display()) < 0)
        return false;
    std::array<pollfd, 1 + core::max_images> polled;
    // With no events requested, poll(2) still reports POLLHUP and POLLERR.
    polled[0] = {.fd = wl_display_get_fd(display()), .events = 0, .revents = 0};
    std::ranges::copy(others, polled.begin() + 1);
    const int ready = ::ppoll(polled.data(), 1 + others.size(), &timeout, nullptr);
    std::copy_n(polled.begin() + 1, others.size(), others.begin());
    return ready > 0 && polled[0].revents == 0;
}

VkResult EventQueue::flush() {
    if (wl_display_flush(display()) >= 0 || errno == EAGAIN)
        return VK_SUCCESS; // the next flush sends the rest
    if (errno != EPIPE)
        return lost().error();
    // The compositor is gone. The read makes libwayland notice, and finds a last protocol error.
    return read_available();
}

VkResult EventQueue::send() {
    if (wl_display_flush(display()) >= 0 || errno == EAGAIN)
        return VK_SUCCESS;
    return errno == EPIPE ? connection_status() : lost().error();
}

VkResult EventQueue::connection_status() {
    return wl_display_get_error(display()) == 0 ? VK_SUCCESS : lost().error();
}

std::unexpected<VkResult> EventQueue::lost() {
    const std::unexpected<VkResult> result(VK_ERROR_SURFACE_LOST_KHR);
    if (display_.loss_logged.exchange(true))
        return result;
    const int error = wl_display_get_error(display());
    if (error == EPROTO) {
        const wl_interface* interface = nullptr;
        uint32_t id = 0;
        const uint32_t code = wl_display_get_protocol_error(display(), &interface, &id);
        const char* const name = interface != nullptr ? interface->name : "unknown object";
        // find_exists_error() knows the managers that the layer uses, too.
        if (const ProtocolRow* row = find_exists_error(name, code)) {
            const char* const protocol = row->name.data(); // of a string literal
            log::error(
                "Wayland protocol error: %s#%u, code %u: two users of %s in this process, on "
                "one wl_surface; if one is the layer, the setting avoid=%s "
                "(FENCEBRIDGE_AVOID=%s) makes it leave the protocol to the other",
                name, id, code, protocol, protocol, protocol);
        } else {
            log::error("Wayland protocol error: %s#%u, code %u", name, id, code);
        }
    } else {
        log::error("Wayland connection lost: %s", ioctl::text(ioctl::Errno{error}).c_str());
    }
    return result;
}

} // namespace fencebridge::wayland
