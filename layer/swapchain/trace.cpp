// SPDX-License-Identifier: MIT
#include "swapchain/trace.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <new>

namespace fencebridge::trace {

namespace {

/// "frame 12": the name of an event outside of the application's threads.
class FrameName {
public:
    explicit FrameName(uint64_t frame) {
        constexpr std::string_view prefix = "frame ";
        std::ranges::copy(prefix, text_.begin());
        const auto end =
            std::to_chars(text_.data() + prefix.size(), text_.data() + text_.size(), frame).ptr;
        size_ = static_cast<size_t>(end - text_.data());
    }
    [[nodiscard]] std::string_view get() const { return {text_.data(), size_}; }

private:
    std::array<char, 32> text_;
    size_t size_;
};

/// Identifies an arrow: the process, the swapchain and the frame.
uint64_t flow_id(uint32_t pid, uint32_t swapchain, uint64_t frame, uint64_t to_display) {
    return uint64_t{pid} << 42 | uint64_t{swapchain & 0x3fff} << 28 | (frame & 0x7ffffff) << 1 |
           to_display;
}

std::atomic<uint32_t> swapchains = 0;

} // namespace

std::unique_ptr<FrameTrace> FrameTrace::create(size_t images) {
    Tracer* const traced = tracer();
    if (traced == nullptr)
        return nullptr;
    try {
        std::unique_ptr<FrameTrace> made(new FrameTrace(*traced, ++swapchains, images));
        made->describe();
        return made;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

FrameTrace::~FrameTrace() {
    for (size_t i = 0; i < images_.size(); ++i) {
        const core::ImageIndex image{static_cast<uint32_t>(i)};
        report(images_[i].rendering, TrackKind::gpu, image);
        report(images_[i].reads, TrackKind::reads, image);
    }
}

uint64_t FrameTrace::flow_to_release(uint64_t frame) const {
    return flow_id(tracer_.pid(), number_, frame, 0);
}
uint64_t FrameTrace::flow_to_display(uint64_t frame) const {
    return flow_id(tracer_.pid(), number_, frame, 1);
}

/// Describes the tracks: again when the ring may soon overwrite the last descriptions.
void FrameTrace::describe() {
    struct Row {
        TrackKind kind;
        const char* name;
        size_t tracks;
    };
    for (const Row& row : {Row{TrackKind::gpu, "GPU: renders", images_.size()},
                           Row{TrackKind::compositor, "compositor: holds", images_.size()},
                           Row{TrackKind::reads, "compositor: still reads", images_.size()},
                           Row{TrackKind::display, "display: shows", size_t{1}}}) {
        std::array<char, 64> name;
        std::snprintf(name.data(), name.size(), "%s (swapchain %u)", row.name, number_);
        for (uint32_t image = 0; image < row.tracks; ++image)
            tracer_.describe(tracer_.track(row.kind, number_, image), name.data());
    }
    described_at_ = tracer_.events();
}

/// Forgets what was kept before.
void FrameTrace::keep(KeptFences& kept, const Fd& sync_file, uint64_t frame, int64_t since) {
    kept.sync_file.reset();
    if (!sync_file)
        return;
    kept.count = ioctl::query_fences(sync_file, kept.fences);
    if (kept.count == 0)
        return;
    kept.frame = frame;
    kept.since = since;
    kept.sync_file = sync_file.duplicate();
}

/// Records each of the kept fences, until it signalled or until now.
void FrameTrace::report(KeptFences& kept, TrackKind kind, core::ImageIndex image) {
    if (!kept.sync_file)
        return;
    std::array<ioctl::FenceInfo, 4> ended;
    const size_t count = ioctl::query_fences(kept.sync_file, ended);
    kept.sync_file.reset();
    for (size_t i = 0; i < std::min(count, kept.count); ++i) {
        const ioctl::FenceInfo& fence = kept.fences[i];
        // Nothing waited for a read that had ended before the image was acquired.
        if (kind == TrackKind::reads && fence.signalled)
            continue;
        if (!ioctl::may_be_same(fence, ended[i]))
            continue;
        const bool is_pending = !ended[i].signalled;
        const int64_t end = is_pending ? now() : time_of(*ended[i].signalled);
        if (end == 0)
            continue; // the kernel does not know
        const std::array arguments = {
            Argument{.name = key::frame, .number = kept.frame},
            Argument{.name = key::image, .number = static_cast<uint64_t>(image)},
            Argument{.name = key::driver, .text = fence.driver.data()},
            Argument{.name = key::timeline, .text = fence.timeline.data()},
            Argument{.name = key::pending, .number = 1}};
        tracer_.record({.name = FrameName(kept.frame).get(),
                        .track = tracer_.track(kind, number_, static_cast<uint32_t>(image)),
                        .begin = std::min(kept.since, end),
                        .end = end > kept.since ? std::optional(end) : std::nullopt,
                        .frame = kept.frame,
                        .arguments = std::span(arguments).first(is_pending ? 5 : 4)});
    }
}

void FrameTrace::acquired(core::ImageIndex index, const Fd& fences) {
    Image& image = at(index);
    report(image.rendering, TrackKind::gpu, index);
    report(image.reads, TrackKind::reads, index);
    const uint64_t previous = image.presented.exchange(false) ? image.frame.load() : 0;
    acquired_ = Acquired{index, previous};
    // Without a frame before, or its release, nobody knows since when the compositor only reads.
    const int64_t released = image.released_at.exchange(0);
    if (previous != 0 && released != 0)
        keep(image.reads, fences, previous, released);
    image.frame = ++frames_;
}

void FrameTrace::attached(core::ImageIndex index, const sync::Rendering& rendering) {
    Image& image = at(index);
    report(image.rendering, TrackKind::gpu, index);
    if (image.presented.exchange(true))
        image.frame = ++frames_; // presented again without an acquire
    keep(image.rendering, rendering.sync_file(), image.frame, present_began_);
    image.vk_fence_since = rendering.has_vk_fence() ? present_began_ : 0;
    if (!rendering.may_run()) // it ended before its present; nobody knows when
        report_rendered(index, present_began_, std::nullopt);
}

/// A rendering without a sync_file has ended.
void FrameTrace::report_rendered(core::ImageIndex image, int64_t begin,
                                 std::optional<int64_t> end) {
    const uint64_t frame = frame_of(image);
    const std::array arguments = {
        Argument{.name = key::frame, .number = frame},
        Argument{.name = key::image, .number = static_cast<uint64_t>(image)},
        Argument{.name = key::driver, .text = "VkFence"}};
    tracer_.record({.name = FrameName(frame).get(),
                    .track = tracer_.track(TrackKind::gpu, number_, static_cast<uint32_t>(image)),
                    .begin = begin,
                    .end = end,
                    .frame = frame,
                    .arguments = std::span(arguments).first(end ? 3 : 2)});
}

void FrameTrace::committed(core::ImageIndex image, VkResult result) {
    if (result >= 0)
        return;
    at(image).committed_at = 0;
    at(image).presented = false;
}

void FrameTrace::released(core::ImageIndex index) {
    Image& image = at(index);
    const int64_t committed = image.committed_at.exchange(0);
    if (committed == 0)
        return; // a compositor may release a buffer that it does not hold
    const uint64_t frame = image.frame;
    const uint64_t flow = flow_to_release(frame);
    const uint64_t track =
        tracer_.track(TrackKind::compositor, number_, static_cast<uint32_t>(index));
    const std::array arguments = {
        Argument{.name = key::frame, .number = frame},
        Argument{.name = key::image, .number = static_cast<uint64_t>(index)}};
    const int64_t end = now();
    image.released_at = end;
    tracer_.record({.name = FrameName(frame).get(),
                    .track = track,
                    .begin = committed,
                    .end = end,
                    .frame = frame,
                    .arguments = arguments});
    tracer_.record({.name = event::release,
                    .track = track,
                    .begin = end,
                    .frame = frame,
                    .flows = {flow},
                    .arguments = arguments});
}

void FrameTrace::shown(uint64_t frame, Clock::time_point time, std::chrono::nanoseconds refresh) {
    const std::array arguments = {
        Argument{.name = key::frame, .number = frame},
        Argument{.name = key::refresh, .number = static_cast<uint64_t>(refresh.count())}};
    tracer_.record({.name = FrameName(frame).get(),
                    .track = tracer_.track(TrackKind::display, number_),
                    .begin = time_of(time),
                    .frame = frame,
                    .ends_flow = flow_to_display(frame),
                    .arguments = arguments});
}

void FrameTrace::begin(std::string_view step, core::ImageIndex image, int64_t now) {
    if (step == event::present)
        present_began_ = now;
    if (step != event::commit)
        return;
    // Before the commit: the release may be handled by another thread before the commit returns.
    at(image).committed_at = now;
    // An image whose rendering is known by a VkFence is committed as soon as that has signalled.
    if (const int64_t since = at(image).vk_fence_since.exchange(0); since != 0)
        report_rendered(image, since, now);
}

void FrameTrace::end_acquire(int64_t began) {
    const int64_t ended = now();
    const uint64_t track = tracer_.thread_track();
    if (!acquired_) {
        const std::array arguments = {Argument{.name = key::swapchain, .number = number_}};
        tracer_.record({.name = event::acquire,
                        .track = track,
                        .begin = began,
                        .end = ended,
                        .arguments = arguments});
        return;
    }
    const auto [image, previous] = *acquired_;
    acquired_.reset();
    const uint64_t frame = frame_of(image);
    const std::array arguments = {
        Argument{.name = key::swapchain, .number = number_},
        Argument{.name = key::frame, .number = frame},
        Argument{.name = key::image, .number = static_cast<uint64_t>(image)},
        Argument{.name = key::previous, .number = previous}};
    tracer_.record({.name = event::acquire,
                    .track = track,
                    .begin = began,
                    .end = ended,
                    .frame = frame,
                    .ends_flow = previous == 0 ? 0 : flow_to_release(previous),
                    .arguments = std::span(arguments).first(previous == 0 ? 3 : 4)});
}

void FrameTrace::end(std::string_view step, core::ImageIndex image, int64_t began,
                     uint64_t frame_before) {
    if (step == event::acquire)
        return end_acquire(began);
    const bool is_present = step == event::present;
    // Once another thread has committed the image, the application may acquire it again. A present
    // of a shared image begins a frame.
    const uint64_t frame = step == event::commit ? frame_before : frame_of(image);
    const std::array arguments = {
        Argument{.name = key::swapchain, .number = number_},
        Argument{.name = key::frame, .number = frame},
        Argument{.name = key::image, .number = static_cast<uint64_t>(image)}};
    tracer_.record({.name = step,
                    .track = tracer_.thread_track(),
                    .begin = began,
                    .end = now(),
                    .frame = frame,
                    .flows = {is_present ? flow_to_release(frame) : 0,
                              is_present ? flow_to_display(frame) : 0},
                    .arguments = arguments});
    if (is_present && tracer_.events() - described_at_ > slot_count / 2)
        describe();
}

void FrameSpan::begin(FrameTrace& trace, std::string_view step, core::ImageIndex image) {
    if (static_cast<size_t>(image) >= trace.images_.size())
        return; // the application has presented an image that does not exist
    open_.emplace(Open{.trace = trace,
                       .step = step,
                       .image = image,
                       .began = now(),
                       .frame = trace.frame_of(image)});
    trace.begin(step, image, open_->began);
}

} // namespace fencebridge::trace
