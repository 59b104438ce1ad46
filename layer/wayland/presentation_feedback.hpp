// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <wayland-client.h>

#include "core/present_completions.hpp"
#include "core/presentation_time.hpp"
#include "swapchain/present_clock.hpp"
#include "swapchain/present_timing.hpp"
#include "swapchain/trace.hpp"
#include "util/deadline.hpp"
#include "util/locked.hpp"
#include "wayland/announced_global.hpp"
#include "wayland/event_queue.hpp"
#include "wayland/proxy.hpp"

struct wp_presentation;
struct wp_presentation_feedback;

namespace fencebridge::wayland {

struct PresentationDestroyer {
    void operator()(wp_presentation* presentation) const;
    void operator()(wp_presentation_feedback* feedback) const;
};

/// The global of presentation-time, if the compositor has it.
class PresentationGlobal {
public:
    PresentationGlobal() = default;
    PresentationGlobal(const PresentationGlobal&) = delete;
    PresentationGlobal& operator=(const PresentationGlobal&) = delete;

    /// For each global of the registry: binds it if it is the protocol's.
    void bind(AnnouncedGlobal& global);
    [[nodiscard]] wp_presentation* get() const { return presentation_.get(); }

    /// The clock of the compositor's times. Nothing before the event that names it, and if the
    /// layer cannot read that clock.
    [[nodiscard]] std::optional<PresentClock> clock() const {
        return PresentClock::with_id(clock_);
    }

private:
    struct Handlers;
    static constexpr uint32_t no_clock = UINT32_MAX;

    std::unique_ptr<wp_presentation, PresentationDestroyer> presentation_;
    std::atomic<uint32_t> clock_ = no_clock; ///< of clock_gettime(2)
};

/// The compositor's reports about the present requests of one swapchain, and the threads that wait
/// for those that have a number.
///
/// wp_presentation reports for each commit whether and when it was shown. Without that global, the
/// wl_surface.frame callback of a numbered request's commit stands for the report. A compositor
/// sends no callback to a surface that is not visible. So a thread that waits for a callback counts
/// the request as complete core::hidden_after after its commit, also if it began to wait before the
/// commit.
///
/// The reports have an event queue of their own. On a common queue, a thread that waits here could
/// keep one that waits for an image from polling fences: see EventQueue::wait().
class PresentationFeedback {
public:
    /// @param display, global  must outlive this
    /// @param clock  of the compositor's times
    PresentationFeedback(Display& display, const PresentationGlobal& global, PresentClock clock);
    PresentationFeedback(const PresentationFeedback&) = delete;
    PresentationFeedback& operator=(const PresentationFeedback&) = delete;

    /// False if memory could not be allocated.
    [[nodiscard]] explicit operator bool() const {
        return display_ && marker_display_ && (presentation_ != nullptr) == has_presentation_;
    }

private:
    struct Pending {
        PresentationFeedback* owner;
        std::optional<core::PresentId> id;
        /// Receives the report; null: nobody wants the time.
        PresentTiming* timing = nullptr;
        core::PresentSerial serial = {};
        trace::FrameTrace* trace = nullptr; ///< null: the swapchain is not traced
        uint64_t frame = 0;                 ///< FrameTrace::frame_of()
        Clock::time_point since = {};
        std::unique_ptr<wp_presentation_feedback, PresentationDestroyer> feedback = {};
        Proxy<wl_callback> callback = {}; ///< without the global
    };

public:
    /// Asks for the report about one commit.
    class Request {
    public:
        /// @param id     the request's number, if a thread may wait for it
        /// @param timed  null: nobody asks for the request's times. Its PresentTiming must outlive
        ///               `owner`
        /// @param trace  null: the swapchain is not traced. Must outlive `owner`
        /// @param frame  FrameTrace::frame_of() the image
        Request(PresentationFeedback& owner, std::optional<core::PresentId> id,
                PresentTiming::Request* timed, trace::FrameTrace* trace, uint64_t frame);
        ~Request();
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;

        /// Called between the requests of the commit to the surface. If the layer or libwayland is
        /// out of memory, the present request counts as complete at once.
        void send(wl_surface* surface);
        /// Called instead, if the present makes no commit: the request is complete with the one
        /// before. The caller flushes.
        void complete() { end(false); }

    private:
        void end(bool sent);
        bool ask(Pending& pending, wl_surface* surface) const;

        PresentationFeedback& owner_;
        const std::optional<core::PresentId> id_;
        PresentTiming::Request* const timed_;
        std::list<Pending> node_; ///< empty once it is sent, or if memory was short
    };

    /// Handles the reports that have arrived. No system call.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult update();
    /// The same, also for those that have not been read from the socket yet. Does not wait.
    [[nodiscard]] VkResult receive();

    /// Presenter::end_presents(). The Request of the failed present is destroyed already: a thread
    /// that waits for it looks again when this wakes the thread.
    void end(VkResult why);

    /// Waits until a present request, or a later one, is complete. Any number of threads may wait.
    /// @return VK_SUCCESS, VK_TIMEOUT, VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait(core::PresentId id, const Deadline& deadline);

private:
    struct Handlers;
    struct State {
        core::PresentCompletions completions;
        std::list<Pending> pending; ///< in the order of their commits
        /// Requests that count as complete, since their callback is overdue. They stay until it
        /// comes: another thread may be about to run its handler.
        std::list<Pending> given_up;
        size_t waiting = 0; ///< threads in wait()
    };

    VkResult wait_for(core::PresentId id, const Deadline& deadline);
    void wake_waiting();
    std::optional<Clock::time_point> give_up_callbacks();

    const bool has_presentation_;
    const PresentClock clock_; ///< of the compositor's times
    EventQueue queue_;
    Wrapper<wp_presentation> presentation_; ///< null without the global
    Wrapper<wl_display> display_;
    // Of wake_waiting().
    Proxy<wl_callback> wake_up_;
    EventQueue marker_queue_; ///< of the presenting thread alone
    Wrapper<wl_display> marker_display_;
    Proxy<wl_callback> marker_; ///< null once it is answered
    Locked<State> state_;
};

} // namespace fencebridge::wayland
