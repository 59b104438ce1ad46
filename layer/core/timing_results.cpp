// SPDX-License-Identifier: MIT
#include "core/timing_results.hpp"

#include <algorithm>
#include <bit>

namespace fencebridge::core {

namespace {

/// Calls use(bit) for each stage of a set, the earliest first.
template <class Use>
void for_each_stage(VkPresentStageFlagsEXT stages, Use&& use) {
    for (; stages != 0; stages &= stages - 1)
        use(static_cast<size_t>(std::countr_zero(stages)));
}

} // namespace

bool TimingResults::resize(uint32_t slots) {
    if (slots < slots_.size())
        return false;
    slots_.reserve(slots);
    size_ = slots;
    return true;
}

bool TimingResults::add(const TimingQuery& query) {
    if (slots_.size() >= size_)
        return false;
    slots_.push_back({.query = query, .known = 0, .times = {}});
    return true;
}

/// @return the slot of a request; the end of the list if it has none
TimingResults::Slots::const_iterator TimingResults::find(PresentSerial serial) const {
    const auto found = std::ranges::lower_bound(slots_, serial, {}, &Slot::serial);
    return found != slots_.end() && found->serial() == serial ? found : slots_.end();
}

void TimingResults::remove(PresentSerial serial) {
    if (const auto found = find(serial); found != slots_.end())
        slots_.erase(found);
}

void TimingResults::set(PresentSerial serial, VkPresentStageFlagsEXT stages, uint64_t time) {
    const auto found = find(serial);
    if (found == slots_.end())
        return;
    Slot& slot = slots_[static_cast<size_t>(found - slots_.begin())];
    const VkPresentStageFlagsEXT news = stages & slot.query.stages & ~slot.known;
    for_each_stage(news, [&](size_t bit) { slot.times[bit] = time; });
    slot.known |= news;
}

bool TimingResults::expects(PresentSerial serial, VkPresentStageFlagsEXT stages) const {
    const auto found = find(serial);
    return found != slots_.end() && (found->query.stages & ~found->known & stages) != 0;
}

bool TimingResults::is_available(const Slot& slot, VkPastPresentationTimingFlagsEXT flags) {
    const bool partial = (flags & VK_PAST_PRESENTATION_TIMING_ALLOW_PARTIAL_RESULTS_BIT_EXT) != 0;
    return partial ? slot.known != 0 : slot.known == slot.query.stages;
}

size_t TimingResults::count(VkPastPresentationTimingFlagsEXT flags) const {
    const auto available = [&](const Slot& slot) { return is_available(slot, flags); };
    if ((flags & VK_PAST_PRESENTATION_TIMING_ALLOW_OUT_OF_ORDER_RESULTS_BIT_EXT) != 0)
        return static_cast<size_t>(std::ranges::count_if(slots_, available));
    return static_cast<size_t>(std::ranges::find_if_not(slots_, available) - slots_.begin());
}

TimingReport TimingResults::report(const Slot& slot) {
    TimingReport report = {
        .query = slot.query, .stages = {}, .complete = slot.known == slot.query.stages};
    for_each_stage(slot.known, [&](size_t bit) {
        report.stages.push_back({VkPresentStageFlagsEXT{1} << bit, slot.times[bit]});
    });
    return report;
}

std::vector<TimingReport> TimingResults::take(VkPastPresentationTimingFlagsEXT flags, size_t most) {
    std::vector<TimingReport> reports;
    const size_t wanted = std::min(most, count(flags));
    for (const Slot& slot : slots_) {
        if (reports.size() == wanted)
            break;
        if (is_available(slot, flags))
            reports.push_back(report(slot));
    }
    // Both lists are in the order of the requests. One pass over them: a queue may be long.
    auto kept = slots_.begin();
    auto taken = reports.begin();
    for (const Slot& slot : slots_) {
        const bool is_taken = taken != reports.end() && taken->query.serial == slot.serial();
        if (!is_taken || !(taken++)->complete)
            *kept++ = slot;
    }
    slots_.erase(kept, slots_.end());
    return reports;
}

} // namespace fencebridge::core
