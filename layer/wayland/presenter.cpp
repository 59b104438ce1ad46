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

    static void created(void* data, zwp_linux_buffer_params_v1*, wl_buffer* buffer) {
        static constexpr wl_buffer_listener listener = {.release = &release};
        Slot& slot = *static_cast<Slot*>(data);
        slot.buffer.reset(buffer);
        wl_buffer_add_listener(buffer, &listener, &slot);
        slot.params.reset();
    }

    static void failed(void* data, zwp_linux_buffer_params_v1*) {
        Slot& slot = *static_cast<Slot*>(data);
        slot.refused = true;
        slot.params.reset();
    }
};

WaylandPresenter::WaylandPresenter(std::shared_ptr<Surface> surface, PresenterParameters parameters,
                                   Locked<core::ImageRing>& ring) :
    surface_(std::move(surface)),
    parameters_(std::move(parameters)),
    pacing_(core::choose_pacing(parameters_.mode, surface_->has_fifo())),
    pace_(core::pace_of(pacing_, ring.with([](const auto& all) { return all.size(); }))),
    ring_(ring), queue_(surface_->display()) {
    judged_.with([&](Judged& last) { last.feedback = parameters_.feedback; });
}

WaylandPresenter::~WaylandPresenter() {
    slots_.clear();
    surface_->leave_explicit_sync();
    // Lets the compositor free the buffers now; what the socket does not take goes later.
    if (queue_)
        static_cast<void>(wl_display_flush(queue_.display()));
}

std::expected<std::unique_ptr<Presenter>, VkResult>
WaylandPresenter::create(std::shared_ptr<Surface> surface, PresenterParameters parameters,
                         const std::vector<image::SwapchainImage>& images,
                         Locked<core::ImageRing>& ring) {
    std::unique_ptr<WaylandPresenter> self(
        new WaylandPresenter(std::move(surface), std::move(parameters), ring));
    if (!self->queue_)
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    if (self->pacing_ == core::Pacing::barrier) {
        self->fifo_ = self->surface_->share_fifo();
        if (!self->fifo_)
            return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    const VkResult requested = self->request_buffers(images);
    // Also after a failure: an answer to a params object that is gone would leave libwayland out
    // of step with the compositor's object ids, which kills the connection.
    VkResult result = self->wait_for_answers();
    if (requested != VK_SUCCESS && result == VK_SUCCESS)
        result = requested;
    if (result == VK_SUCCESS)
        result = self->import_timelines();
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return self;
}

VkResult WaylandPresenter::request_buffers(const std::vector<image::SwapchainImage>& images) {
    static constexpr zwp_linux_buffer_params_v1_listener listener = {
        .created = &Handlers::created,
        .failed = &Handlers::failed,
    };
    const auto dmabuf = wrap(surface_->dmabuf(), queue_.get());
    if (!dmabuf)
        return VK_ERROR_OUT_OF_HOST_MEMORY;

    modifier_ = images.front().layout.modifier;
    slots_.reserve(images.size()); // handlers keep addresses of slots
    for (const image::SwapchainImage& image : images) {
        Proxy<zwp_linux_buffer_params_v1> params(zwp_linux_dmabuf_v1_create_params(dmabuf.get()));
        if (!params)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        const image::Layout& layout = image.layout;
        for (uint32_t i = 0; i < layout.plane_count; ++i) {
            zwp_linux_buffer_params_v1_add(params.get(), image.dma_buf.get(), i,
                                           layout.planes[i].offset, layout.planes[i].pitch,
                                           static_cast<uint32_t>(layout.modifier >> 32),
                                           static_cast<uint32_t>(layout.modifier));
        }
        const core::ImageIndex index{static_cast<uint32_t>(slots_.size())};
        Slot& slot = slots_.emplace_back(
            Slot{.presenter = this, .image = index, .params = std::move(params), .buffer = {}});
        zwp_linux_buffer_params_v1_add_listener(slot.params.get(), &listener, &slot);
        zwp_linux_buffer_params_v1_create(
            slot.params.get(), static_cast<int32_t>(parameters_.extent.width),
            static_cast<int32_t>(parameters_.extent.height), parameters_.fourcc, 0);
    }
    return VK_SUCCESS;
}

VkResult WaylandPresenter::wait_for_answers() {
    for (;;) {
        const auto handled = queue_.dispatch_pending();
        if (!handled)
            return handled.error();
        if (std::ranges::all_of(slots_, [](const Slot& slot) { return slot.params == nullptr; })) {
            if (std::ranges::none_of(slots_, &Slot::refused))
                return VK_SUCCESS;
            log::error("the compositor refused a buffer: %ux%u, format 0x%08x, modifier 0x%llx",
                       parameters_.extent.width, parameters_.extent.height, parameters_.fourcc,
                       static_cast<unsigned long long>(modifier_));
            return VK_ERROR_INITIALIZATION_FAILED;
        }
        if (const VkResult result = queue_.wait(*handled, Deadline::never()); result != VK_SUCCESS)
            return result;
    }
}

VkResult WaylandPresenter::import_timelines() {
    // The window system keeps what it was given; the descriptors can go.
    const auto timelines = std::exchange(parameters_.timelines, {});
    for (size_t i = 0; i < timelines.size(); ++i) {
        slots_[i].timelines = surface_->import(timelines[i]);
        if (!slots_[i].timelines.acquire || !slots_[i].timelines.release)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

std::expected<Presenter::Stamp, VkResult> WaylandPresenter::update() {
    const auto handled = queue_.dispatch_pending();
    if (!handled)
        return std::unexpected(handled.error());
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
                                   const std::optional<core::CommitPoints>& points) {
    const Slot& slot = slots_[static_cast<size_t>(image)];
    const Surface::Content content = {.buffer = slot.buffer.get(),
                                      .timelines = points ? &slot.timelines : nullptr,
                                      .points = points.value_or(core::CommitPoints{})};
    if (const VkResult result = surface_->commit(content, pace_, fifo_.get()); result != VK_SUCCESS)
        return result;
    const auto feedback = surface_->feedback();
    if (!feedback)
        return feedback.error();
    return is_suboptimal(*feedback) ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

bool WaylandPresenter::is_suboptimal(const std::shared_ptr<const core::DmabufFeedback>& feedback) {
    const auto judged = judged_.with([](const Judged& last) { return last; });
    if (judged.feedback == feedback)
        return judged.suboptimal;
    const auto choice = core::choose_modifiers(*feedback, parameters_.fourcc,
                                               parameters_.driver_modifiers, parameters_.nodes);
    // Where nothing is shared any more, a new swapchain would fail and this one may still work.
    const bool suboptimal =
        !choice.empty() && std::ranges::find(choice.front(), modifier_) == choice.front().end();
    judged_.with([&](Judged& last) { last = {feedback, suboptimal}; });
    return suboptimal;
}

} // namespace fencebridge::wayland
