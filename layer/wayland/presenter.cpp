// SPDX-License-Identifier: MIT
#include "wayland/presenter.hpp"

#include <algorithm>
#include <new>

#include "swapchain/trace.hpp"
#include "util/log.hpp"

namespace fencebridge::wayland {

struct WaylandPresenter::Handlers {
    static void release(void* data, wl_buffer*) {
        const Slot& slot = *static_cast<Slot*>(data);
        // linux-drm-syncobj-v1 leaves undefined when, or whether, a compositor sends this event for
        // a buffer with a release point.
        if (slot.timelines.release)
            return;
        PresentationState& state = slot.presenter->state_;
        trace::released(state.trace.get(), slot.image);
        state.ring.with([&](core::ImageRing& ring) { ring.mark_released(slot.image); });
    }
};

WaylandPresenter::WaylandPresenter(std::shared_ptr<WaylandWindow> window, SharedSurfaceUse surface,
                                   PresenterParameters parameters, PresentationState& state) :
    window_(std::move(window)),
    surface_(std::move(surface)), parameters_(std::move(parameters)),
    image_count_(state.ring.with([](const auto& all) { return all.size(); })),
    protocols_(window_->usable(surface_->connection().present_protocols())), state_(state),
    queue_(surface_->connection().display()),
    colour_(surface_->connection(), window_->colours(),
            core::find_encoding(parameters_.colours.space, window_->colours())),
    commits_{.departures = surface_->departures()}, prepared_mode_(parameters_.mode) {
    if (colour_.is_described())
        surface_->add_described();
    const bool traces = state.trace && surface_->connection().presentation().get() != nullptr;
    if (parameters_.reports_presents || state.timing || traces)
        feedback_.emplace(surface_->connection().display(), surface_->connection().presentation(),
                          window_->presentation().clock);
    compared_.with([&](ComparedFeedback& last) {
        last.feedback = std::static_pointer_cast<const DmabufFormats>(parameters_.basis);
    });
}

WaylandPresenter::~WaylandPresenter() {
    slots_.clear();
    if (colour_.is_described())
        surface_->remove_described();
    // Flushed now, so that the compositor can free the buffers. If the socket is full, a later
    // flush sends the rest.
    if (queue_)
        static_cast<void>(wl_display_flush(queue_.display()));
}

std::expected<std::unique_ptr<Presenter>, VkResult> WaylandPresenter::create(
    std::shared_ptr<WaylandWindow> window, SharedSurfaceUse surface, PresenterParameters parameters,
    const std::vector<image::SwapchainImage>& images, PresentationState& state) {
    std::unique_ptr<WaylandPresenter> self(
        new WaylandPresenter(std::move(window), std::move(surface), std::move(parameters), state));
    if (!self->queue_ || (self->feedback_ && !*self->feedback_))
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    for (uint32_t i = 0; i < images.size(); ++i)
        self->slots_.push_back({.presenter = self.get(), .image = core::ImageIndex{i}});
    // Timelines first: the wait for the buffers' answers then also sees a protocol error about a
    // timeline.
    VkResult requested = self->import_timelines();
    if (requested == VK_SUCCESS && !self->colour_.request(self->queue_.get()))
        requested = VK_ERROR_OUT_OF_HOST_MEMORY;
    if (requested == VK_SUCCESS)
        requested = self->request_buffers(images);
    // The answers are awaited also after a failure. The answer to a params object creates a
    // wl_buffer; if the params object were destroyed before the answer, libwayland would lose count
    // of the object ids, which ends the connection.
    VkResult result = self->wait_for_answers();
    if (requested != VK_SUCCESS && result == VK_SUCCESS)
        result = requested;
    if (result == VK_SUCCESS) {
        self->adopt_buffers();
        result = self->compare_feedback();
    }
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return self;
}

VkResult WaylandPresenter::request_buffers(const std::vector<image::SwapchainImage>& images) {
    modifier_ = images.front().layout.modifier;
    if (images.front().placement == core::Placement::shared_memory)
        return create_shm_buffers(images);
    const auto dmabuf = wrap(surface_->connection().dmabuf(), queue_.get());
    if (!dmabuf)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    for (size_t i = 0; i < images.size(); ++i) {
        if (!slots_[i].request.send(dmabuf.get(), images[i], parameters_.extent,
                                    fourcc_of(parameters_.pixels)))
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

VkResult WaylandPresenter::create_shm_buffers(const std::vector<image::SwapchainImage>& images) {
    placement_ = core::Placement::shared_memory;
    const auto shm = wrap(surface_->connection().shm().get(), queue_.get());
    if (!shm)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    for (size_t i = 0; i < images.size(); ++i) {
        if (!fits_shm_pool(images[i], parameters_.extent))
            return VK_ERROR_INITIALIZATION_FAILED;
        slots_[i].buffer = create_shm_buffer(shm.get(), images[i], parameters_.extent,
                                             fourcc_of(parameters_.pixels));
        if (!slots_[i].buffer)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

/// Moves the buffers into their slots and adds the listeners. Called before the first commit, so
/// that no release can be missed.
void WaylandPresenter::adopt_buffers() {
    static constexpr wl_buffer_listener listener = {.release = &Handlers::release};
    for (Slot& slot : slots_) {
        if (!slot.buffer)
            slot.buffer = slot.request.take_buffer();
        wl_buffer_add_listener(slot.buffer.get(), &listener, &slot);
    }
}

VkResult WaylandPresenter::wait_for_answers() {
    const auto is_answered = [](const Slot& slot) { return slot.request.is_answered(); };
    const auto is_refused = [](const Slot& slot) { return slot.request.is_refused(); };
    const VkResult result = queue_.wait_until(
        [&] { return colour_.is_answered() && std::ranges::all_of(slots_, is_answered); });
    if (result != VK_SUCCESS)
        return result;
    if (colour_.is_refused())
        return VK_ERROR_FEATURE_NOT_PRESENT; // the log says why
    if (std::ranges::none_of(slots_, is_refused))
        return VK_SUCCESS;
    log::error("the compositor refused a buffer: %ux%u, format 0x%08x, modifier 0x%llx; trying the "
               "next candidate, if there is one",
               parameters_.extent.width, parameters_.extent.height, fourcc_of(parameters_.pixels),
               static_cast<unsigned long long>(modifier_));
    return VK_ERROR_INITIALIZATION_FAILED;
}

VkResult WaylandPresenter::import_timelines() {
    // libwayland duplicates the descriptors when it buffers the requests. The originals are closed
    // on return.
    const auto timelines = std::exchange(parameters_.timelines, {});
    for (size_t i = 0; i < timelines.size(); ++i) {
        slots_[i].timelines = surface_->connection().explicit_sync().import(timelines[i]);
        if (!slots_[i].timelines.acquire || !slots_[i].timelines.release)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return VK_SUCCESS;
}

std::expected<core::EventStamp, VkResult> WaylandPresenter::update() {
    const auto handled = queue_.dispatch_each_frame();
    if (!handled)
        return std::unexpected(handled.error());
    if (const VkResult result = compare_feedback(); result != VK_SUCCESS)
        return std::unexpected(result);
    return *handled;
}

VkResult WaylandPresenter::wait(core::EventStamp seen, const Deadline& deadline,
                                std::span<pollfd> also) {
    // With timelines, no event reports a release.
    const bool need_events = slots_.front().timelines.release == nullptr;
    if (!need_events && queue_.poll_others(deadline, also))
        return VK_SUCCESS;
    return queue_.wait(seen, deadline, also);
}

core::ExpectedWait WaylandPresenter::estimate_wait(VkPresentModeKHR mode) {
    return surface_->estimate_wait(with(mode));
}

/// - A change of the image description: the last show() uses the old one.
/// - The wait for the frame callback of the last commit.
/// - A change of the mode, whose turn depends on the mode of the last commit.
/// - The second commit of a swapchain, which core::FramePacer lets wait for the first.
bool WaylandPresenter::follows_last(VkPresentModeKHR mode) {
    const core::Pacing pacing = surface_->pacing(with(mode));
    return colour_.has_change() || pacing == core::Pacing::frame_callback ||
           mode != prepared_mode_ || (pacing != core::Pacing::none && prepared_ < 2);
}

VkResult WaylandPresenter::prepare(PresentRequest& request) {
    if (request.last_is_shown) {
        if (const VkResult result = colour_.update(); result != VK_SUCCESS)
            return result;
    } else if (const VkResult result = queue_.connection_status(); result != VK_SUCCESS) {
        return result; // show() will not read the socket, and may not notice
    }
    if (feedback_ && request.timed != nullptr && request.timed->is_relative()) {
        if (const VkResult result = feedback_->receive(); result != VK_SUCCESS)
            return result;
    }
    if (prepared_++ == 0)
        surface_->begin_swapchain();
    prepared_mode_ = *request.mode;
    if (request.turn == core::Turn::wait) {
        if (const VkResult result = surface_->wait_for_turn(with(*request.mode));
            result != VK_SUCCESS)
            return result;
    }
    if (!core::shares_image(*request.mode))
        return VK_SUCCESS;
    const bool has_timelines = slots_.front().timelines.acquire != nullptr;
    const VkResult read = surface_->wait_until_read(has_timelines ? request.rendering : nullptr);
    request.may_commit = read != VK_TIMEOUT;
    return request.may_commit ? read : VK_SUCCESS;
}

VkResult WaylandPresenter::show(const PresentRequest& request,
                                const std::optional<core::CommitPoints>& points) {
    std::optional<PresentationFeedback::Request> feedback;
    const auto id = parameters_.reports_presents ? request.id : std::nullopt;
    trace::FrameTrace* const trace = state_.trace.get();
    if (feedback_ && (id || request.timed != nullptr || trace != nullptr)) {
        if (const VkResult result = feedback_->update(); result != VK_SUCCESS)
            return result;
        feedback.emplace(*feedback_, id, request.timed, trace,
                         trace == nullptr ? 0 : trace->frame_of(request.image));
    }
    const Slot& slot = slots_[static_cast<size_t>(request.image)];
    const SharedSurface::Content content = {.mode = with(*request.mode),
                                            .buffer = slot.buffer.get(),
                                            .timelines = points ? &slot.timelines : nullptr,
                                            .points = points.value_or(core::CommitPoints{}),
                                            .description = colour_.description(),
                                            .straight_alpha = parameters_.colours.straight_alpha,
                                            .damage = request.damage,
                                            .feedback = feedback ? &*feedback : nullptr,
                                            .timed = request.timed,
                                            .may_read = request.may_read,
                                            .may_commit = request.may_commit};
    if (const VkResult result = surface_->commit(content, commits_); result != VK_SUCCESS)
        return result;
    if (const VkResult result = compare_feedback(); result != VK_SUCCESS)
        return result;
    return is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

/// Compares new feedback with the layout of the images. If memory is short, a later call does: the
/// image may have been committed.
VkResult WaylandPresenter::compare_feedback() {
    const auto count = surface_->count_feedback();
    if (!count)
        return count.error();
    if (*count == compared_count_)
        return VK_SUCCESS;
    const auto feedback = surface_->last_feedback();
    const bool is_new = compared_.with([&](ComparedFeedback& judged) {
        if (*count <= judged.count)
            return false; // another thread has compared it, or a later one
        // Equal feedback changes nothing, even if the images were made for a later tranche than the
        // first. The driver or the compositor has refused the first one, and would refuse it again.
        const bool differs = feedback && *judged.feedback != *feedback;
        if (differs) {
            try {
                suboptimal_ = prefers_another_layout(*feedback);
            } catch (const std::bad_alloc&) {
                return false;
            }
            judged.feedback = feedback;
        }
        judged.count = *count;
        compared_count_ = *count;
        return differs;
    });
    if (is_new)
        window_->set_feedback(feedback);
    return VK_SUCCESS;
}

bool WaylandPresenter::prefers_another_layout(const DmabufFormats& feedback) const {
    const auto best = core::best_layouts(
        window_->ranks(feedback, parameters_.pixels, parameters_.nodes), parameters_.makeable);
    // Without a common layout, a new swapchain would fail, and this one may still work.
    return best && (best->placement != placement_ ||
                    std::ranges::find(best->modifiers, modifier_) == best->modifiers.end());
}

} // namespace fencebridge::wayland
