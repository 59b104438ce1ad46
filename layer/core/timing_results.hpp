// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/presentation_time.hpp"
#include "vk/present_timing_headers.hpp"

namespace fencebridge::core {

/// A present request of which an application wants to know the times of some stages
/// (VkPresentTimingInfoEXT with presentStageQueries).
struct TimingQuery {
    PresentSerial serial;
    uint64_t present_id;  ///< of VkPresentId2KHR, or 0
    uint64_t target_time; ///< the application's, as it is
    uint64_t time_domain; ///< the id
    VkPresentStageFlagsEXT stages;
};

/// What an application gets of one present request: a VkPastPresentationTimingEXT.
struct TimingReport {
    TimingQuery query;
    /// In the order of the stages. A time of 0: it will never be known.
    std::vector<VkPresentStageTimeEXT> stages;
    bool complete;
};

/// The results queue of a swapchain (vkSetSwapchainPresentTimingQueueSizeEXT). Not thread-safe:
/// kept inside a lock.
class TimingResults {
public:
    /// The number of slots. Each query has one until its complete report has been taken. Their
    /// memory is allocated here: add() does not run out of it.
    /// @return false, without a change, if more slots are in use (VK_NOT_READY)
    [[nodiscard]] bool resize(uint32_t slots);

    /// Queries are expected in the order of their serials.
    /// @return false if no slot is free (VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT)
    [[nodiscard]] bool add(const TimingQuery& query);
    /// The request has failed.
    void remove(PresentSerial serial);

    /// The time of some stages of a request is known, or will never be (0). Ignored for stages that
    /// are not queried, or known already.
    void set(PresentSerial serial, VkPresentStageFlagsEXT stages, uint64_t time);
    /// Whether the time of such a stage is still to come.
    [[nodiscard]] bool expects(PresentSerial serial, VkPresentStageFlagsEXT stages) const;

    /// How many reports take() would return.
    [[nodiscard]] size_t count(VkPastPresentationTimingFlagsEXT flags) const;
    /// The reports that are available, oldest request first. Those that are complete leave the
    /// queue.
    ///
    /// A report is available if the times of all its stages are known; with
    /// VK_PAST_PRESENTATION_TIMING_ALLOW_PARTIAL_RESULTS_BIT_EXT, of one stage. Without
    /// VK_PAST_PRESENTATION_TIMING_ALLOW_OUT_OF_ORDER_RESULTS_BIT_EXT, none is available behind one
    /// that is not: element n of the application's array has room for the stages of request n
    /// (VUID-vkGetPastPresentationTimingEXT-flags-12231).
    [[nodiscard]] std::vector<TimingReport> take(VkPastPresentationTimingFlagsEXT flags,
                                                 size_t most);

private:
    struct Slot {
        TimingQuery query;
        VkPresentStageFlagsEXT known;
        std::array<uint64_t, 32> times; ///< by the bit of the stage

        [[nodiscard]] PresentSerial serial() const { return query.serial; }
    };
    using Slots = std::vector<Slot>;
    [[nodiscard]] Slots::const_iterator find(PresentSerial serial) const;
    static bool is_available(const Slot& slot, VkPastPresentationTimingFlagsEXT flags);
    static TimingReport report(const Slot& slot);

    size_t size_ = 0;
    Slots slots_; ///< in the order of their serials
};

} // namespace fencebridge::core
