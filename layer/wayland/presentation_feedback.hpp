// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <list>
#include <memory>
#include <wayland-client.h>

#include "core/present_completions.hpp"
#include "util/deadline.hpp"
#include "util/locked.hpp"
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
    /// For each global of the registry: binds it if it is the protocol's.
    void bind(wl_registry* registry, uint32_t name, const char* interface);
    [[nodiscard]] wp_presentation* get() const { return presentation_.get(); }

private:
    std::unique_ptr<wp_presentation, PresentationDestroyer> presentation_;
};

/// The compositor's reports about the numbered present requests of one swapchain, and the threads
/// that wait for them.
///
/// wp_presentation reports for each commit whether and when it was shown. Without that global, the
/// commit's wl_surface.frame callback stands for the report. A compositor sends no callback to a
/// surface that is not visible. So a thread that waits for a callback counts the request as
/// complete core::hidden_after after its commit.
///
/// The reports have an event queue of their own. On a common queue, a thread that waits here could
/// keep one that waits for an image from polling fences: see EventQueue::wait().
class PresentationFeedback {
public:
    /// @param display, global  must outlive this
    PresentationFeedback(Display& display, const PresentationGlobal& global);
    PresentationFeedback(const PresentationFeedback&) = delete;
    PresentationFeedback& operator=(const PresentationFeedback&) = delete;

    /// False if memory could not be allocated.
    [[nodiscard]] explicit operator bool() const {
        return queue_ && (presentation_ != nullptr) == has_presentation_;
    }

private:
    struct Pending {
        PresentationFeedback* owner;
        core::PresentId id;
        Clock::time_point since = {};
        std::unique_ptr<wp_presentation_feedback, PresentationDestroyer> feedback = {};
        Proxy<wl_callback> callback = {}; ///< without the global
    };

public:
    /// Asks for the report about one commit.
    class Request {
    public:
        /// May throw std::bad_alloc; send() does not.
        Request(PresentationFeedback& owner, core::PresentId id);
        ~Request();
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;

        /// Called between the requests of the commit to the surface. If libwayland is out of
        /// memory, the present request counts as complete at once.
        void send(wl_surface* surface);

    private:
        PresentationFeedback& owner_;
        std::list<Pending> node_; ///< empty once it is sent
    };

    /// Handles the reports that have arrived. No system call.
    /// @return VK_SUCCESS or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult update();

    /// A commit has failed, and so will all later ones.
    /// @param why  VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR
    void end(VkResult why);

    /// Waits until a present request, or a later one, is complete. Any number of threads may wait.
    /// @return VK_SUCCESS, VK_TIMEOUT, VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] VkResult wait(core::PresentId id, const Deadline& deadline);

private:
    struct Handlers;
    struct State {
        core::PresentCompletions completions;
        std::list<Pending> pending; ///< in the order of their commits
    };

    std::optional<Clock::time_point> give_up_callbacks();

    const bool has_presentation_;
    EventQueue queue_;
    Wrapper<wp_presentation> presentation_; ///< null without the global
    Wrapper<wl_display> display_;
    Proxy<wl_callback> wake_up_; ///< see end()
    Locked<State> state_;
};

} // namespace fencebridge::wayland
