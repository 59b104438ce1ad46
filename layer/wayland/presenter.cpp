// SPDX-License-Identifier: MIT
#include "wayland/presenter.hpp"

#include <algorithm>

#include "util/log.hpp"

namespace fencebridge::wayland {

struct WaylandPresenter::Handlers {
    static void release(void* data, wl_buffer*) {
        const Slot& slot = *static_cast<Slot*>(data);
        // linux-drm-syncobj-v1 leaves undefined when, or whether, this comes for a buffer with a
        // release point.
        if (slot.timelines.release)
            return;
        slot.presenter->ring_.with([&](core::ImageRing& ring) { ring.release(slot.image); });
    }
};

WaylandPresenter::WaylandPresenter(std::shared_ptr<WaylandWindow> window, SurfaceUse surface,
                                   PresenterParameters parameters, Locked<core::ImageRing>& ring) :
    window_(std::move(window)),
    surface_(std::move(surface)), parameters_(std::move(parameters)),
    pacing_(core::choose_pacing(parameters_.mode, surface_->connection().fifo() != nullptr)),
    pace_(core::pace_of(pacing_, ring.with([](const auto& all) { return all.size(); }))),
    ring_(ring), queue_(surface_->connection().display()) {
    judged_.with([&](Judged& last) { last.feedback = parameters_.feedback; });
}

WaylandPresenter::~WaylandPresenter() {
    slots_.clear();
    // Lets the compositor free the buffers now; what the socket does not take goes later.
    if (queue_)
        static_cast<void>(wl_display_flush(queue_.display()));
}

std::expected<std::unique_ptr<Presenter>, VkResult> WaylandPresenter::create(
    std::shared_ptr<WaylandWindow> window, SurfaceUse surface, PresenterParameters parameters,
    const std::vector<image::SwapchainImage>& images, Locked<core::ImageRing>& ring) {
    std::unique_ptr<WaylandPresenter> self(
        new WaylandPresenter(std::move(window), std::move(surface), std::move(parameters), ring));
    if (!self->queue_)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    if (self->pacing_ == core::Pacing::barrier && !self->surface_->prepare_fifo())
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    for (uint32_t i = 0; i < images.size(); ++i)
        self->slots_.push_back({.presenter = self.get(), .image = core::ImageIndex{i}});
    // Timelines first: if the compositor refuses one, the wait for the buffers' answers sees it.
    VkResult requested = self->import_timelines();
    if (requested == VK_SUCCESS)
        requested = self->request_buffers(images);
    // Also after a failure: an answer to a params object that is gone would leave libwayland out
    // of step with the compositor's object ids, which kills the connection.
    VkResult result = self->wait_for_answers();
    if (requested != VK_SUCCESS && result == VK_SUCCESS)
        result = requested;
    if (result == VK_SUCCESS) {
        self->take_buffers();
        result = self->judge_feedback();
    }
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return self;
}

VkResult WaylandPresenter::request_buffers(const std::vector<image::SwapchainImage>& images) {
    const auto dmabuf = wrap(surface_->connection().dmabuf(), queue_.get());
    if (!dmabuf)
        return VK_ERROR_OUT_OF_HOST_MEMORY;

    modifier_ = images.front().layout.modifier;
    for (size_t i = 0; i < images.size(); ++i) {
        if (!slots_[i].request.send(dmabuf.get(), images[i], parameters_.extent,
                                    parameters_.fourcc))
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

/// No buffer has been committed yet, so that none can have been released.
void WaylandPresenter::take_buffers() {
    static constexpr wl_buffer_listener listener = {.release = &Handlers::release};
    for (Slot& slot : slots_) {
        slot.buffer = slot.request.take_buffer();
        wl_buffer_add_listener(slot.buffer.get(), &listener, &slot);
    }
}

VkResult WaylandPresenter::wait_for_answers() {
    const auto is_answered = [](const Slot& slot) { return slot.request.is_answered(); };
    const auto is_refused = [](const Slot& slot) { return slot.request.is_refused(); };
    const VkResult result =
        queue_.wait_until([&] { return std::ranges::all_of(slots_, is_answered); });
    if (result != VK_SUCCESS || std::ranges::none_of(slots_, is_refused))
        return result;
    log::error("the compositor refused a buffer: %ux%u, format 0x%08x, modifier 0x%llx",
               parameters_.extent.width, parameters_.extent.height, parameters_.fourcc,
               static_cast<unsigned long long>(modifier_));
    return VK_ERROR_INITIALIZATION_FAILED;
}

VkResult WaylandPresenter::import_timelines() {
    // The window system keeps what it was given; the descriptors can go.
    const auto timelines = std::exchange(parameters_.timelines, {});
    for (size_t i = 0; i < timelines.size(); ++i) {
        slots_[i].timelines = surface_->connection().explicit_sync().import(timelines[i]);
        if (!slots_[i].timelines.acquire || !slots_[i].timelines.release)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

std::expected<Presenter::Stamp, VkResult> WaylandPresenter::update() {
    const auto handled = queue_.keep_up();
    if (!handled)
        return std::unexpected(handled.error());
    if (const VkResult result = judge_feedback(); result != VK_SUCCESS)
        return std::unexpected(result);
    return static_cast<Stamp>(*handled);
}

VkResult WaylandPresenter::wait(Stamp seen, const Deadline& deadline, std::span<pollfd> also) {
    // With timelines no event says when an image comes back.
    const bool need_events = slots_.front().timelines.release == nullptr;
    if (!need_events && queue_.wait_for_others(deadline, also))
        return VK_SUCCESS;
    return queue_.wait(static_cast<EventQueue::Stamp>(seen), deadline, also);
}

core::CommitWait WaylandPresenter::expected_wait() {
    return pace_ ? surface_->expected_wait(*pace_) : core::CommitWait::none;
}

VkResult WaylandPresenter::present(core::ImageIndex image,
                                   const std::optional<core::CommitPoints>& points,
                                   core::Turn turn) {
    const Slot& slot = slots_[static_cast<size_t>(image)];
    const Surface::Content content = {.buffer = slot.buffer.get(),
                                      .timelines = points ? &slot.timelines : nullptr,
                                      .points = points.value_or(core::CommitPoints{})};
    if (const VkResult result = surface_->commit(content, pacing_, pace_, turn);
        result != VK_SUCCESS)
        return result;
    if (const VkResult result = judge_feedback(); result != VK_SUCCESS)
        return result;
    return is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

/// Takes note of new feedback.
VkResult WaylandPresenter::judge_feedback() {
    const auto read = surface_->feedback();
    if (!read)
        return read.error();
    const auto& feedback = *read;
    const auto judged = judged_.with([](const Judged& last) { return last; });
    if (!feedback || judged.feedback == feedback)
        return VK_SUCCESS;
    Judged now = {feedback, judged.suboptimal};
    // What says the same again changes nothing, even if the images were made for a later tranche
    // than the first: the compositor has refused buffers of that one, and would again.
    if (*judged.feedback != *feedback) {
        const auto choice = core::choose_modifiers(*feedback, parameters_.fourcc,
                                                   parameters_.driver_modifiers, parameters_.nodes);
        // Where nothing is shared any more, a new swapchain would fail and this one may still work.
        now.suboptimal =
            !choice.empty() && std::ranges::find(choice.front(), modifier_) == choice.front().end();
        window_->set_feedback(feedback);
    }
    judged_.with([&](Judged& last) { last = std::move(now); });
    return VK_SUCCESS;
}

} // namespace fencebridge::wayland
