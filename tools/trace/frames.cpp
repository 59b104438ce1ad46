// SPDX-License-Identifier: MIT
#include "frames.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fencebridge::trace {

namespace {

using Key = std::pair<uint64_t, uint64_t>; ///< swapchain, frame
using ByKey = std::map<Key, Frame>;

std::optional<Nanoseconds> between(std::optional<Nanoseconds> from, std::optional<Nanoseconds> to) {
    if (!from || !to)
        return std::nullopt;
    return std::max<Nanoseconds>(*to - *from, 0);
}

void raise(std::optional<Nanoseconds>& time, Nanoseconds to) {
    time = std::max(time.value_or(to), to);
}

std::string fence_name(const Record& record) {
    return record.timeline.empty() ? record.driver : record.driver + " " + record.timeline;
}

/// A step of an application's thread.
void add_step(const Record& record, Frame& frame) {
    if (record.name == event::acquire) {
        frame.acquire_began = record.begin;
        frame.acquired = record.end;
    } else if (record.name == event::present) {
        frame.present_began = record.begin;
        frame.presented = record.end;
    } else if (record.name == event::commit) {
        frame.committed = record.begin;
    }
}

/// An event outside of the application's threads.
void add_event(const Record& record, Frame& frame) {
    const Nanoseconds end = record.end.value_or(record.begin);
    switch (record.kind) {
    case TrackKind::gpu:
        if (!record.pending)
            raise(frame.rendered, end);
        break;
    case TrackKind::compositor:
        raise(frame.released, end);
        break;
    case TrackKind::reads:
        if (!record.pending)
            raise(frame.reusable, end);
        break;
    case TrackKind::display:
        frame.shown = record.begin;
        frame.refresh = record.refresh;
        break;
    default:
        break;
    }
}

ByKey collect(const Trace& trace) {
    ByKey frames;
    for (const Record& record : trace.records) {
        if (record.frame == 0)
            continue;
        Frame& frame = frames[{record.swapchain, record.frame}];
        frame.swapchain = record.swapchain;
        frame.number = record.frame;
        if (record.image)
            frame.image = record.image;
        if (record.kind == TrackKind::thread)
            add_step(record, frame);
        else
            add_event(record, frame);
    }
    return frames;
}

/// Fences that were pending when an image was acquired again: the next frame's payload waits for
/// the last of them.
void add_payloads(const Trace& trace, ByKey& frames) {
    for (const Record& record : trace.records) {
        if (record.name != event::acquire || record.kind != TrackKind::thread || record.frame == 0)
            continue;
        Frame& frame = frames[{record.swapchain, record.frame}];
        frame.payload = record.end;
        const auto previous = frames.find({record.swapchain, record.previous});
        if (previous == frames.end())
            continue;
        Frame& before = previous->second;
        if (!before.reusable)
            before.reusable = before.released;
        if (frame.payload && before.reusable)
            frame.payload = std::max(*frame.payload, *before.reusable);
    }
}

/// The acquire or present of a thread that contains a wait.
const Record* find_call(const std::vector<const Record*>& calls, const Record& wait) {
    const auto after = std::ranges::upper_bound(calls, wait.begin, {},
                                                [](const Record* call) { return call->begin; });
    if (after == calls.begin())
        return nullptr;
    const Record* const call = *std::prev(after);
    return call->end && *call->end >= wait.begin ? call : nullptr;
}

class LongestWaits {
public:
    void add(Frame& frame, const std::string& whom, Nanoseconds length) {
        Nanoseconds& longest = lengths_[{frame.swapchain, frame.number}];
        if (length <= longest)
            return;
        longest = length;
        frame.longest_wait = whom;
    }

private:
    std::map<Key, Nanoseconds> lengths_;
};

void add_waits(const Trace& trace, ByKey& frames, Frames& found) {
    std::map<uint32_t, std::vector<const Record*>> calls;
    LongestWaits longest;
    for (const Record& record : trace.records) {
        if (record.kind == TrackKind::thread &&
            (record.name == event::acquire || record.name == event::present))
            calls[record.owner].push_back(&record);
    }
    for (const Record& record : trace.records) {
        const Nanoseconds length = record.end.value_or(record.begin) - record.begin;
        if (record.kind == TrackKind::reads) {
            found.waits["GPU <- " + fence_name(record)].lengths.push_back(length);
            continue;
        }
        if (record.kind != TrackKind::thread || record.name != event::wait)
            continue;
        const Record* const call = find_call(calls[record.owner], record);
        const std::string whom = record.driver.empty() ? record.reason : fence_name(record);
        found.waits[(call == nullptr ? "thread" : call->name) + " <- " + whom].lengths.push_back(
            length);
        if (call == nullptr || call->frame == 0)
            continue;
        Frame& frame = frames[{call->swapchain, call->frame}];
        (call->name == event::acquire ? frame.acquire_waits : frame.present_waits) += length;
        longest.add(frame, whom, length);
    }
    for (const Record& record : trace.records) {
        if (record.kind != TrackKind::gpu || !record.end)
            continue;
        if (const auto frame = frames.find({record.swapchain, record.frame});
            frame != frames.end() && frame->second.shown)
            longest.add(frame->second, fence_name(record), *record.end - record.begin);
    }
}

/// Who was late for the first refresh that was missed.
Culprit blame(const Frame& late, Nanoseconds refresh) {
    if (!late.present_began || *late.present_began > refresh)
        return Culprit::application;
    if (late.rendered && *late.rendered > refresh)
        return Culprit::gpu;
    return Culprit::compositor;
}

void add_missed(Frames& found) {
    std::map<uint64_t, std::vector<const Frame*>> shown;
    for (const Frame& frame : found.all) {
        if (frame.shown)
            shown[frame.swapchain].push_back(&frame);
    }
    for (auto& [swapchain, frames] : shown) {
        std::ranges::sort(frames, {}, [](const Frame* frame) { return *frame->shown; });
        for (size_t i = 1; i < frames.size(); ++i) {
            const Frame& late = *frames[i];
            if (late.refresh <= 0)
                continue;
            const Nanoseconds gap = *late.shown - *frames[i - 1]->shown;
            const auto steps = static_cast<uint64_t>(
                std::llround(static_cast<double>(gap) / static_cast<double>(late.refresh)));
            found.refreshes += steps;
            if (steps > 1)
                found.missed.push_back({late.swapchain, late.number, steps - 1,
                                        blame(late, *frames[i - 1]->shown + late.refresh)});
        }
    }
}

} // namespace

std::optional<Nanoseconds> Frame::rendered_to_shown() const {
    return between(rendered ? rendered : present_began, shown);
}
std::optional<Nanoseconds> Frame::released_to_reusable() const {
    return between(released, reusable);
}
std::optional<Nanoseconds> Frame::acquire_to_payload() const { return between(acquired, payload); }

Frames find_frames(const Trace& trace) {
    Frames found;
    ByKey frames = collect(trace);
    add_payloads(trace, frames);
    add_waits(trace, frames, found);
    for (auto& [key, frame] : frames)
        found.all.push_back(std::move(frame));
    std::ranges::stable_sort(found.all, {}, [](const Frame& frame) {
        return frame.acquire_began.value_or(frame.present_began.value_or(0));
    });
    add_missed(found);
    return found;
}

Nanoseconds percentile(std::vector<Nanoseconds> values, double part) {
    const auto rank = static_cast<size_t>(std::ceil(part * static_cast<double>(values.size())));
    const size_t index = std::min(std::max<size_t>(rank, 1), values.size()) - 1;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

} // namespace fencebridge::trace
