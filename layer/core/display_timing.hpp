// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/presentation_time.hpp"

namespace fencebridge::core {

/// A present request with a VkPresentTimeGOOGLE.
struct DisplayTimingQuery {
    PresentSerial serial;
    uint32_t id;
    uint64_t desired_time; ///< the application's, as it is
    /// The same on the presentation clock; nothing if it is 0.
    std::optional<PresentationTime> desired;
    PresentationTime queued; ///< when vkQueuePresentKHR was called
    bool immediate;          ///< of VK_PRESENT_MODE_IMMEDIATE_KHR
};

/// What VK_GOOGLE_display_timing reports of one present request.
struct DisplayTiming {
    DisplayTimingQuery query;
    PresentationTime actual;   ///< the image was shown
    PresentationTime earliest; ///< the image could have been shown
    /// How much later the request could have come, or the rendering ended.
    std::chrono::nanoseconds margin;
};

/// The newest results of a swapchain for vkGetPastPresentationTimingGOOGLE. Not thread-safe: kept
/// inside a lock.
///
/// An image that was never shown has no result, which the specification allows for MAILBOX. In
/// other modes, no such image has been seen either.
class DisplayTimings {
public:
    using Refresh = std::optional<std::chrono::nanoseconds>;

    /// Allocates the memory for all requests: add() does not run out of it.
    DisplayTimings() { entries_.reserve(most_kept); }

    /// Queries are expected in the order of their serials.
    void add(const DisplayTimingQuery& query);
    /// The request has failed, or its image will not be shown.
    void remove(PresentSerial serial);

    /// The image of a request was shown.
    /// @param refresh  of the display
    void shown(PresentSerial serial, PresentationTime at, const Refresh& refresh);
    /// The rendering that a request waited for has ended.
    /// @param at  nothing: before the request, or not known when
    void rendered(PresentSerial serial, std::optional<PresentationTime> at);

    /// How many results are available.
    [[nodiscard]] size_t count() const;
    /// Removes the available results, the oldest first.
    [[nodiscard]] std::vector<DisplayTiming> take(size_t most);

    /// "The implementation will maintain a limited amount of history": of so many requests.
    static constexpr size_t most_kept = 64;

private:
    struct Entry {
        DisplayTimingQuery query;
        std::optional<PresentationTime> ready; ///< called and rendered
        struct Shown {
            PresentationTime at;
            std::optional<PresentationTime> previous; ///< image
            Refresh refresh;
        };
        std::optional<Shown> shown;
    };
    static bool is_available(const Entry& entry) { return entry.ready && entry.shown; }
    static DisplayTiming result(const Entry& entry);

    std::vector<Entry> entries_;
    std::optional<PresentationTime> last_shown_;
};

} // namespace fencebridge::core
