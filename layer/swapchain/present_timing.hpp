// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <utility>
#include <vulkan/vulkan.h>

#include "core/display_timing.hpp"
#include "core/present_schedule.hpp"
#include "core/presentation_time.hpp"
#include "core/refresh_tracker.hpp"
#include "core/timing_results.hpp"
#include "swapchain/present_clock.hpp"
#include "sync/rendering.hpp"
#include "util/locked.hpp"
#include "vk/present_timing_headers.hpp"

// VK_EXT_present_timing and VK_GOOGLE_display_timing of one swapchain: the times at which an
// application wants its images to be shown, and those at which they were.

namespace fencebridge {

/// What a window system can do with the times of images.
struct PresentationSupport {
    PresentClock clock;     ///< of all these times
    bool reports = false;   ///< when an image was shown
    bool schedules = false; ///< not to show an image before a time
};

/// What VK_EXT_present_timing can do on a surface.
[[nodiscard]] VkPresentStageFlagsEXT stages_of(const PresentationSupport& support);

/// What an application wants of one present request. The structures are valid during
/// vkQueuePresentKHR only.
struct TimingWish {
    const VkPresentTimingInfoEXT* timing = nullptr;
    const VkPresentTimeGOOGLE* time = nullptr;
};

/// The times of one swapchain's present requests. Any thread may call, except where a comment says
/// otherwise.
class PresentTiming {
public:
    /// Which of the extensions the application uses with the swapchain.
    struct Use {
        bool timing;         ///< VK_SWAPCHAIN_CREATE_PRESENT_TIMING_BIT_EXT
        bool display_timing; ///< VK_GOOGLE_display_timing is enabled
    };
    PresentTiming(const PresentationSupport& support, Use use) : support_(support), use_(use) {}
    PresentTiming(const PresentTiming&) = delete;
    PresentTiming& operator=(const PresentTiming&) = delete;

    /// The functions of VK_EXT_present_timing may be called.
    [[nodiscard]] bool uses_ext_present_timing() const { return use_.timing; }

    class Request;
    /// A present request begins. For the presenting thread. Does not run out of memory: the
    /// application cannot repeat a vkQueuePresentKHR whose semaphores were waited for.
    /// @param request  set, unless nobody asks for the request's times
    /// @param id       of VkPresentId2KHR, or 0
    /// @param mode     of the request
    /// @return VK_SUCCESS or VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT
    [[nodiscard]] VkResult begin(std::optional<Request>& request, const TimingWish& wish,
                                 uint64_t id, VkPresentModeKHR mode,
                                 const sync::Rendering& rendering);

    /// Until when a request waits in vkQueuePresentKHR, because the window system cannot be told
    /// the time in VkPresentTimeGOOGLE; nothing: it does not. For the presenting thread.
    /// @param called  when vkQueuePresentKHR was called
    [[nodiscard]] std::optional<Clock::time_point>
    end_of_wait(const TimingWish& wish, VkPresentModeKHR mode, Clock::time_point called);
    /// At most so long after that call.
    static constexpr std::chrono::seconds longest_wait{1};

    /// The presenter knows when it will show the image of a request that it has queued. A target
    /// time relative to that image starts from then.
    void expect(core::PresentSerial serial, core::PresentationTime at);

    // The presenter reports once what becomes of each request that it has queued.

    /// The image was shown.
    void shown(core::PresentSerial serial, const core::RefreshReport& report);
    /// The image will never be shown, or nobody will tell when.
    void discarded(core::PresentSerial serial);

    /// Finds out which renderings have ended.
    void update_renderings();

    // timing_queries.cpp

    // The functions of VK_EXT_present_timing. Before queries of results, the caller calls
    // Presenter::receive_reports() and update_renderings().

    /// May throw std::bad_alloc.
    /// @return VK_SUCCESS or VK_NOT_READY
    [[nodiscard]] VkResult resize(uint32_t slots);
    /// @return VK_SUCCESS, or VK_NOT_READY before the first image was shown
    [[nodiscard]] VkResult properties(VkSwapchainTimingPropertiesEXT& properties,
                                      uint64_t* changes) const;
    /// @return VK_SUCCESS or VK_INCOMPLETE
    [[nodiscard]] VkResult time_domains(VkSwapchainTimeDomainPropertiesEXT& domains,
                                        uint64_t* changes) const;
    /// @return VK_SUCCESS or VK_INCOMPLETE
    [[nodiscard]] VkResult past(VkPastPresentationTimingFlagsEXT flags,
                                VkPastPresentationTimingPropertiesEXT& properties);
    /// The time of a domain of the swapchain's, for vkGetCalibratedTimestampsKHR.
    [[nodiscard]] uint64_t calibrate() const { return core::vulkan_time(support_.clock.now()); }

    // The functions of VK_GOOGLE_display_timing.

    [[nodiscard]] uint64_t refresh_duration() const;
    /// @return VK_SUCCESS or VK_INCOMPLETE
    [[nodiscard]] VkResult past(uint32_t& count, VkPastPresentationTimingGOOGLE* timings);

private:
    /// The rendering of a request, until it is known to have ended.
    struct Rendering {
        core::PresentSerial serial;
        core::PresentationTime queued;
        sync::Rendering rendering;
    };
    struct State {
        core::PresentSerial last_serial = core::PresentSerial{0};
        core::TimingResults results;
        core::DisplayTimings display_timings;
        core::PresentSchedule schedule;
        core::RefreshTracker refresh;
        std::list<Rendering> renderings;

        /// The refresh to which targets are rounded.
        [[nodiscard]] core::PresentSchedule::Refresh cycle() const {
            return refresh.kind() == core::RefreshKind::variable ? std::nullopt
                                                                 : refresh.duration();
        }
        /// The queue operations of a request have ended.
        /// @param at  nothing: it is not known when
        void ended(core::PresentSerial serial, std::optional<core::PresentationTime> at);
        void forget(core::PresentSerial serial);
    };

    static std::list<Rendering> copy_rendering(core::PresentSerial serial,
                                               core::PresentationTime queued,
                                               const sync::Rendering& rendering) noexcept;
    static std::optional<Clock::time_point> end_of(const Rendering& each);
    /// The structures of those extensions that the application uses with the swapchain.
    [[nodiscard]] TimingWish used(const TimingWish& given) const {
        return {use_.timing ? given.timing : nullptr, use_.display_timing ? given.time : nullptr};
    }
    /// The time to show an image at; nothing: as soon as possible.
    std::optional<core::PresentTarget> choose_target(const TimingWish& wish, VkPresentModeKHR mode,
                                                     core::PresentationTime now);
    [[nodiscard]] std::optional<Clock::time_point>
    end_of_wait(const std::optional<core::PresentTarget>& target, Clock::time_point called) const;
    void add_rendering(core::PresentSerial serial, core::PresentationTime queued,
                       const sync::Rendering& rendering);

    const PresentationSupport support_;
    const Use use_;
    bool warned_of_target_ = false; ///< used by the presenting thread only
    Locked<State> state_;
};

/// One present request whose times somebody asks for, from vkQueuePresentKHR on until its image is
/// queued. Used by the presenting thread.
class PresentTiming::Request {
public:
    /// For PresentTiming::begin().
    Request(PresentTiming& timing, core::PresentSerial serial,
            std::optional<core::PresentTarget> target) :
        timing_(timing),
        serial_(serial), target_(target) {}
    ~Request();
    /// The other one is done with.
    Request(Request&& other) noexcept :
        timing_(other.timing_), serial_(other.serial_), target_(other.target_),
        failed_(std::exchange(other.failed_, false)) {}
    Request& operator=(Request&&) = delete;

    [[nodiscard]] PresentTiming& timing() const { return timing_; }
    [[nodiscard]] core::PresentSerial serial() const { return serial_; }

    /// PresentTiming::end_of_wait() of this request.
    [[nodiscard]] std::optional<Clock::time_point> end_of_wait(Clock::time_point called) const {
        return timing_.end_of_wait(target_, called);
    }

    /// A time before which the image is not to be shown.
    struct NotBefore {
        core::PresentationTime time;
        Clock::time_point on_monotonic; ///< the same
    };
    /// The image is about to be queued. Called once.
    /// @return nothing: the image may be shown at once
    [[nodiscard]] std::optional<NotBefore> schedule();
    /// The image was queued: the presenter will report what becomes of it.
    void queued() { failed_ = false; }
    /// The request has failed all the same: nobody will ask for its report.
    void fail() { failed_ = true; }

    /// Whether the time to show the image depends on when the image before was shown.
    [[nodiscard]] bool is_relative() const {
        return target_ && target_->from == core::PresentTarget::From::last_image;
    }

private:
    PresentTiming& timing_;
    const core::PresentSerial serial_;
    const std::optional<core::PresentTarget> target_;
    bool failed_ = true; ///< so far
};

} // namespace fencebridge
