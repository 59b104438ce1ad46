// SPDX-License-Identifier: MIT
#include "headless/presenter.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <sys/eventfd.h>

#include "core/surface_limits.hpp"
#include "ioctl/ioctl.hpp"
#include "ioctl/sync_file.hpp"
#include "swapchain/trace.hpp"
#include "util/log.hpp"

namespace fencebridge::headless {

using core::PresentationTime;
using core::PresentSerial;

HeadlessPresenter::HeadlessPresenter(Fd eventfd, const core::RefreshGrid& refreshes, size_t images,
                                     bool reports_presents, std::optional<Capture> capture,
                                     PresentationState& state) :
    eventfd_(std::move(eventfd)),
    reports_presents_(reports_presents), presentation_(state),
    capture_(std::move(capture)), state_{.queue = core::RefreshQueue(refreshes, images),
                                         .records = {},
                                         .completions = {}} {
    state_.records.reserve(images + 1);
}

HeadlessPresenter::~HeadlessPresenter() {
    log::info("headless swapchain closed: frames=%llu shown=%llu",
              static_cast<unsigned long long>(presented_),
              static_cast<unsigned long long>(state_.shown));
}

std::expected<core::EventStamp, VkResult> HeadlessPresenter::update() {
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(eventfd_.get(), &count));
    advance();
    return core::EventStamp{events_.load()};
}

VkResult HeadlessPresenter::receive_reports() {
    advance();
    return VK_SUCCESS;
}

VkResult HeadlessPresenter::wait(core::EventStamp seen, const Deadline& deadline,
                                 std::span<pollfd> also) {
    std::optional<Next> next;
    {
        const std::lock_guard guard(mutex_);
        next = next_of(state_);
    }
    if (core::EventStamp{events_.load()} != seen)
        return VK_SUCCESS;
    std::array<pollfd, 2 + core::max_images> polled;
    size_t count = 1 + also.size();
    polled[0] = {.fd = eventfd_.get(), .events = POLLIN, .revents = 0};
    std::ranges::copy(also, polled.begin() + 1);

    const bool is_due = next && next->due <= clock_.now();
    if (is_due && !next->rendering)
        return VK_SUCCESS;
    if (is_due)
        polled[count++] = {.fd = next->rendering->get(), .events = POLLIN, .revents = 0};
    const auto refresh =
        next && !is_due ? std::optional(clock_.to_monotonic(next->due)) : std::nullopt;
    const bool refresh_is_first = refresh && (!deadline.time() || *refresh <= *deadline.time());
    const auto ready = ioctl::retry_poll(std::span(polled).first(count),
                                         refresh_is_first ? Deadline::at(*refresh) : deadline);
    std::copy_n(polled.begin() + 1, also.size(), also.begin());
    if (!ready) {
        log::error("ppoll for a headless swapchain: %s", ioctl::text(ready.error()).c_str());
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return *ready || refresh_is_first ? VK_SUCCESS : VK_TIMEOUT;
}

VkResult HeadlessPresenter::show(const PresentRequest& request,
                                 const std::optional<core::CommitPoints>&) {
    ++presented_;
    if (capture_)
        capture_->present(presented_, request.image, *request.rendering);
    advance(); // a target time may be relative to the last image that was shown
    const auto target = request.timed != nullptr ? request.timed->schedule() : std::nullopt;
    Rendering rendering = copy_rendering(*request.rendering);
    if (request.timed != nullptr)
        request.timed->queued();
    core::ImageList released;
    {
        const std::lock_guard guard(mutex_);
        auto id = reports_presents_ ? request.id : std::nullopt;
        try {
            if (id)
                state_.completions.expect(*id);
        } catch (const std::bad_alloc&) {
            state_.completions.discarded(*std::exchange(id, std::nullopt));
        }
        const PresentationTime now = clock_.now();
        advance(now, released);
        const PresentSerial serial{presented_};
        const bool renders = rendering != nullptr;
        state_.records.push_back(
            {.serial = serial,
             .id = id,
             .timed =
                 request.timed != nullptr ? std::optional(request.timed->serial()) : std::nullopt,
             .traced = presentation_.trace ? presentation_.trace->frame_of(request.image) : 0,
             .rendering = std::move(rendering)});
        const PresentationTime due = state_.queue.queue(
            {.image = request.image,
             .mode = *request.mode,
             .serial = serial,
             .not_before = target ? target->time : PresentationTime()},
            renders, now, [&](const core::RefreshQueue::Event& event) { handle(event, released); });
        if (request.timed != nullptr)
            presentation_.timing->expect(request.timed->serial(), due);
        advance(now, released);
    }
    deliver(released);
    count_event();
    changed_.notify_all();
    return VK_SUCCESS;
}

/// @return null: the rendering counts as ended, also if memory or descriptors ran out. Of a driver
///         that exports no sync_file it has ended: the bridge or a DeferredPresenter has waited
HeadlessPresenter::Rendering
HeadlessPresenter::copy_rendering(const sync::Rendering& rendering) noexcept {
    if (!rendering.sync_file())
        return nullptr;
    Fd copy = rendering.sync_file().duplicate();
    try {
        return copy ? std::make_shared<const Fd>(std::move(copy)) : nullptr;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

/// When the rendering of a frame ended; nothing: it runs. If the kernel does not tell, it ended
/// before anything else.
std::optional<PresentationTime> HeadlessPresenter::end_of(const State& state,
                                                          PresentSerial serial) {
    const auto record = std::ranges::find(state.records, serial, &Record::serial);
    if (!record->rendering)
        return PresentationTime();
    const auto signalled = ioctl::signal_time(*record->rendering);
    if (!signalled)
        return PresentationTime();
    return signalled->transform(
        [](Clock::time_point at) { return PresentClock().from_monotonic(at); });
}

std::optional<HeadlessPresenter::Next> HeadlessPresenter::next_of(const State& state) {
    const auto next = state.queue.next();
    if (!next)
        return std::nullopt;
    if (!next->renders)
        return Next{.due = next->due, .rendering = nullptr};
    const auto record = std::ranges::find(state.records, next->serial, &Record::serial);
    return Next{.due = next->due, .rendering = record->rendering};
}

void HeadlessPresenter::advance(PresentationTime now, core::ImageList& released) {
    state_.queue.advance(
        now, [&](PresentSerial serial) { return end_of(state_, serial); },
        [&](const core::RefreshQueue::Event& event) { handle(event, released); });
}

void HeadlessPresenter::handle(const core::RefreshQueue::Event& event, core::ImageList& released) {
    if (event.released)
        released.push_back(*event.released);
    const auto record = std::ranges::find(state_.records, event.frame.serial, &Record::serial);
    const Record done = std::move(*record);
    state_.records.erase(record);
    if (event.shown)
        ++state_.shown;
    if (event.shown && presentation_.trace)
        presentation_.trace->shown(done.traced, clock_.to_monotonic(event.at),
                                   state_.queue.grid().period());
    if (done.id && event.shown)
        state_.completions.presented(*done.id);
    else if (done.id)
        state_.completions.discarded(*done.id);
    if (!done.timed)
        return;
    if (event.shown)
        presentation_.timing->shown(*done.timed, {.shown = event.at,
                                                  .refresh = state_.queue.grid().period(),
                                                  .version = 1, // a constant rate
                                                  .by_hardware = true});
    else
        presentation_.timing->discarded(*done.timed);
}

void HeadlessPresenter::advance() {
    core::ImageList released;
    {
        const std::lock_guard guard(mutex_);
        advance(clock_.now(), released);
    }
    deliver(released);
}

/// The bridge has attached the rendering of a released image to it. So the next snapshot of the
/// image contains this rendering, and the application's next work on the image waits for it, on the
/// GPU.
void HeadlessPresenter::deliver(const core::ImageList& released) {
    if (released.empty())
        return;
    for (const core::ImageIndex image : released)
        trace::released(presentation_.trace.get(), image);
    presentation_.ring.with([&](core::ImageRing& ring) {
        for (const core::ImageIndex image : released)
            ring.mark_released(image);
    });
    count_event();
}

/// Wakes wait().
void HeadlessPresenter::count_event() {
    ++events_;
    static_cast<void>(::eventfd_write(eventfd_.get(), 1));
}

VkResult HeadlessPresenter::wait_for_present(core::PresentId id, const Deadline& deadline) {
    for (;;) {
        advance();
        std::unique_lock lock(mutex_);
        if (const auto result = state_.completions.result_for(id))
            return *result;
        if (deadline.has_passed())
            return VK_TIMEOUT;
        const auto next = next_of(state_);
        if (next && next->due <= clock_.now()) {
            lock.unlock();
            if (next->rendering && !ioctl::wait_signalled(*next->rendering, deadline))
                return VK_ERROR_OUT_OF_HOST_MEMORY;
            continue;
        }
        // Woken by show(): it may make another frame the next one.
        const auto refresh = next ? std::optional(clock_.to_monotonic(next->due)) : std::nullopt;
        if (!refresh && !deadline.time())
            changed_.wait(lock);
        else
            changed_.wait_until(lock, std::min(refresh.value_or(Clock::time_point::max()),
                                               deadline.time().value_or(Clock::time_point::max())));
    }
}

void HeadlessPresenter::end_presents(VkResult why) {
    {
        const std::lock_guard guard(mutex_);
        state_.completions.end(why);
    }
    changed_.notify_all();
}

} // namespace fencebridge::headless
