// SPDX-License-Identifier: MIT
#include "swapchain/swapchain.hpp"

#include <algorithm>
#include <utility>

#include "image/alias.hpp"
#include "ioctl/ioctl.hpp"
#include "swapchain/trace.hpp"
#include "util/log.hpp"

namespace fencebridge {

Swapchain::Swapchain(const vk::Device& device, sync::PayloadSignaller& signaller,
                     vk::ImageParameters parameters, uint32_t image_count,
                     std::vector<VkPresentModeKHR> modes, bool present_wait) :
    device_(device),
    signaller_(signaller), parameters_(std::move(parameters)), modes_(std::move(modes)),
    present_wait_(present_wait), shares_image_(core::shares_image(modes_.front())),
    mode_(modes_.front()), state_{.ring = Locked<core::ImageRing>(std::in_place, image_count)},
    present_fences_(device, signaller), kept_renderings_(image_count), submissions_(image_count) {}

Swapchain::~Swapchain() {
    // The application waits for its own use of the images only.
    for (const Submission& last : submissions_)
        static_cast<void>(last.end.wait());
    if (presenter_)
        log::info("swapchain closed: acquired=%llu presented=%llu",
                  static_cast<unsigned long long>(acquired_.load()),
                  static_cast<unsigned long long>(presented_.load()));
}

VkResult Swapchain::acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                            uint32_t* image_index) {
    const trace::FrameSpan span(state_.trace.get(), trace::event::acquire);
    auto snapshot = wait_for_image(Deadline::from_vulkan(timeout));
    if (!snapshot)
        return snapshot.error() == VK_TIMEOUT && timeout == 0 ? VK_NOT_READY : snapshot.error();
    const core::ImageIndex image = snapshot->image;
    trace::acquired(state_.trace.get(), image, snapshot->fences);
    const VkResult result =
        trace::timed(state_.trace.get(), trace::event::import_fences, image, [&] {
            return signaller_.signal(std::move(snapshot->fences), semaphore, fence);
        });
    if (result != VK_SUCCESS) {
        trace::undone(state_.trace.get(), image);
        state_.ring.with([&](core::ImageRing& ring) { ring.undo(image); });
        return result;
    }
    *image_index = static_cast<uint32_t>(image);
    ++acquired_;
    return presenter_->is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

/// Waits for a free image and marks it acquired.
std::expected<sync::Snapshot, VkResult> Swapchain::wait_for_image(const Deadline& deadline) {
    for (;;) {
        if (retired_)
            return std::unexpected(VK_ERROR_OUT_OF_DATE_KHR);
        const auto seen = presenter_->update();
        if (!seen)
            return std::unexpected(seen.error());
        const auto free = update_free_images();
        if (!free)
            return std::unexpected(free.error());
        // Both use the one image at the same time, also after vkReleaseSwapchainImagesKHR: the
        // window system need not release it, and there is nothing to wait for.
        if (shares_image_ && !free->empty()) {
            const core::ImageIndex image = (*free)[0];
            state_.ring.with([&](core::ImageRing& ring) { ring.mark_acquired(image); });
            return sync::Snapshot{image, Fd()};
        }
        if (!free->empty()) {
            // Invariant 2: the snapshot is taken before the driver uses the image again. So it
            // contains no fence of the application's next rendering.
            auto snapshot = bridge_->snapshot(*free);
            if (!snapshot)
                return std::unexpected(snapshot.error());
            if (*snapshot) {
                state_.ring.with(
                    [&](core::ImageRing& ring) { ring.mark_acquired((*snapshot)->image); });
                return std::move(**snapshot);
            }
        }
        const auto polled = shares_image_ ? std::span<pollfd>() : bridge_->prepare_wait(*free);
        if (!polled)
            return std::unexpected(polled.error());
        const trace::Span span(trace::event::wait, "release of an image");
        if (const VkResult result = presenter_->wait(*seen, deadline, *polled);
            result != VK_SUCCESS)
            return std::unexpected(result);
    }
}

/// Marks released images free, then lists the free ones. Nobody releases a shared image.
std::expected<core::ImageList, VkResult> Swapchain::update_free_images() {
    if (shares_image_ || !bridge_->reports_releases())
        return state_.ring.with([](const core::ImageRing& ring) { return ring.free(); });
    const auto [free, presented] = state_.ring.with(
        [](const core::ImageRing& ring) { return std::pair(ring.free(), ring.presented()); });
    const auto released = bridge_->find_released(presented, free);
    if (!released)
        return std::unexpected(released.error());
    if (released->empty())
        return free;
    for (const core::ImageIndex image : *released)
        trace::released(state_.trace.get(), image);
    return state_.ring.with([&](core::ImageRing& ring) {
        for (const core::ImageIndex image : *released)
            ring.mark_released(image);
        return ring.free();
    });
}

/// VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT leaves the image acquired, and "the set of queue
/// operations are still considered to be enqueued": the semaphores were waited for, and the fence
/// signals. So the next present of the image, which has other semaphores, waits for this rendering
/// as well.
/// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST
VkResult Swapchain::keep_rendering(const PresentRequest& request,
                                   const sync::Rendering& rendering) {
    auto kept = rendering.share_or_wait();
    if (!kept)
        return lose_device(request, rendering);
    kept_renderings_[static_cast<size_t>(request.image)] = std::move(*kept);
    return signal_present_fence(request, rendering);
}

/// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST
VkResult Swapchain::note_submission(const PresentRequest& request,
                                    const sync::Rendering& rendering) {
    const auto index = static_cast<size_t>(request.image);
    if (index >= images_.size() || !images_[index].commands)
        return VK_SUCCESS;
    auto end = rendering.share_or_wait();
    if (!end)
        return end.error();
    // The submission before this one was made to the same queue, or has ended: see
    // present_commands(). It ends no later than this one.
    submissions_[index] = {std::move(*end), request.queue};
    return VK_SUCCESS;
}

/// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST
VkResult Swapchain::signal_present_fence(const PresentRequest& request,
                                         const sync::Rendering& rendering) {
    if (request.fence == VK_NULL_HANDLE)
        return VK_SUCCESS;
    return present_fences_.signal(request.queue, rendering, request.fence);
}

/// A present fails with VK_ERROR_DEVICE_LOST before its fence was signalled.
VkResult Swapchain::lose_device(const PresentRequest& request, const sync::Rendering& rendering) {
    static_cast<void>(signal_present_fence(request, rendering));
    return VK_ERROR_DEVICE_LOST;
}

std::expected<VkCommandBuffer, VkResult> Swapchain::present_commands(core::ImageIndex image,
                                                                     VkQueue queue) {
    const auto index = static_cast<size_t>(image);
    if (index >= images_.size() || !images_[index].commands)
        return VkCommandBuffer(VK_NULL_HANDLE);
    const auto family = device_.queue_families.find(queue);
    if (family == device_.queue_families.end())
        return std::unexpected(VK_ERROR_VALIDATION_FAILED_EXT);
    // The last submission may be pending: the application may present an image again without
    // acquiring it (shares_image_, VK_ERROR_PRESENT_TIMING_QUEUE_FULL_EXT). The copies of one queue
    // are in order. Those of two would write to the same buffer, and change the image's layout, at
    // the same time.
    if (const Submission& last = submissions_[index]; last.queue != queue) {
        if (const VkResult result = last.end.wait(); result != VK_SUCCESS)
            return std::unexpected(result);
    }
    return images_[index].commands->of(family->second, shares_image_
                                                           ? VK_IMAGE_LAYOUT_SHARED_PRESENT_KHR
                                                           : VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
}

VkResult Swapchain::present(const PresentRequest& request, const sync::Rendering& rendering) {
    const core::ImageIndex image = request.image;
    const trace::FrameSpan span(state_.trace.get(), trace::event::present, image);
    if (note_submission(request, rendering) != VK_SUCCESS)
        return lose_device(request, rendering);
    if (!state_.ring.with([&](const core::ImageRing& ring) { return ring.is_acquired(image); })) {
        log::error("vkQueuePresentKHR of image %u, which is not acquired",
                   static_cast<unsigned>(image));
        return VK_ERROR_VALIDATION_FAILED_EXT;
    }
    auto kept = std::exchange(kept_renderings_[static_cast<size_t>(image)], sync::Rendering());
    if (!kept.may_run())
        return present_rendered(request, rendering);
    auto shared = rendering.share_or_wait();
    if (!shared)
        return lose_device(request, rendering);
    const auto both = sync::merge_or_wait(std::move(kept), std::move(*shared));
    return both ? present_rendered(request, *both) : lose_device(request, rendering);
}

VkResult Swapchain::present_rendered(PresentRequest request, const sync::Rendering& rendering) {
    const core::ImageIndex image = request.image;
    if (request.mode && !has_mode(request.mode)) {
        if (!std::exchange(warned_of_mode_, true))
            log::error("vkQueuePresentKHR with present mode %d, which "
                       "VkSwapchainPresentModesCreateInfoKHR does not list; the mode stays",
                       *request.mode);
        request.mode.reset();
    }
    mode_ = request.mode.value_or(mode_);
    request.mode = mode_;
    std::optional<PresentTiming::Request> timed;
    if (state_.timing) {
        const auto id = static_cast<uint64_t>(request.id.value_or(core::PresentId{0}));
        const VkResult begun = state_.timing->begin(timed, request.wish, id, mode_, rendering);
        if (begun != VK_SUCCESS)
            return keep_rendering(request, rendering) == VK_SUCCESS ? begun : VK_ERROR_DEVICE_LOST;
    }
    trace::attached(state_.trace.get(), image, rendering);
    const auto points = trace::timed(state_.trace.get(), trace::event::attach, image,
                                     [&] { return bridge_->attach_rendering(image, rendering); });
    if (!points) {
        if (!shares_image_)
            state_.ring.with([&](core::ImageRing& ring) { ring.undo(image); });
        return lose_device(request, rendering);
    }
    // Before show(), so also if that fails: after VK_ERROR_OUT_OF_DATE_KHR and
    // VK_ERROR_SURFACE_LOST_KHR, the operations on the queue are still executed.
    if (const VkResult result = signal_present_fence(request, rendering); result != VK_SUCCESS)
        return result;
    // Before show(): another thread may mark the release before show() returns.
    if (!shares_image_)
        state_.ring.with([&](core::ImageRing& ring) { ring.mark_presented(image); });
    if (timed && request.turn == core::Turn::wait) {
        const auto until = timed->end_of_wait(request.called);
        if (until) {
            const trace::Span waiting(trace::event::wait, "time of the image");
            static_cast<void>(ioctl::retry_poll({}, Deadline::at(*until)));
        }
    }
    request.timed = timed ? &*timed : nullptr;
    request.rendering = &rendering;
    VkResult result = presenter_->prepare(request);
    if (result == VK_SUCCESS)
        result = show(request, *points);
    if (result >= 0)
        ++presented_;
    else if (timed)
        timed->fail();
    return result;
}

VkResult Swapchain::show(const PresentRequest& request,
                         const std::optional<core::CommitPoints>& points) {
    if (is_deferred_) // the DeferredPresenter commits
        return presenter_->show(request, points);
    return trace::commit(state_.trace.get(), request.image,
                         [&] { return presenter_->show(request, points); });
}

core::ExpectedWait Swapchain::estimate_wait(std::optional<VkPresentModeKHR> mode,
                                            const TimingWish& wish, Clock::time_point called) {
    const VkPresentModeKHR used = has_mode(mode) ? *mode : mode_;
    const core::ExpectedWait turn = presenter_->estimate_wait(used);
    if (!state_.timing || turn.reason == core::CommitWait::hidden)
        return turn;
    const auto until = state_.timing->end_of_wait(wish, used, called);
    if (!until || *until <= called)
        return turn;
    return std::max(turn, {core::CommitWait::until_time, *until});
}

bool Swapchain::has_mode(std::optional<VkPresentModeKHR> mode) const {
    return mode && std::ranges::find(modes_, *mode) != modes_.end();
}

VkResult Swapchain::release(std::span<const uint32_t> images) {
    VkResult result = VK_SUCCESS;
    for (const uint32_t index : images) {
        const core::ImageIndex image{index};
        const auto is_acquired = [&](const core::ImageRing& ring) {
            return ring.is_acquired(image);
        };
        if (!state_.ring.with(is_acquired)) {
            log::error("vkReleaseSwapchainImages of image %u, which is not acquired", index);
            result = VK_ERROR_VALIDATION_FAILED_EXT;
            continue;
        }
        trace::undone(state_.trace.get(), image);
        state_.ring.with([&](core::ImageRing& ring) { ring.undo(image); });
    }
    return result;
}

VkResult Swapchain::update_timing() {
    if (const VkResult result = presenter_->receive_reports(); result != VK_SUCCESS)
        return result;
    state_.timing->update_renderings();
    return VK_SUCCESS;
}

VkResult Swapchain::status() {
    if (retired_)
        return VK_ERROR_OUT_OF_DATE_KHR;
    if (const auto seen = presenter_->update(); !seen)
        return seen.error();
    return presenter_->is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

VkResult Swapchain::wait_for_present(core::PresentId id, uint64_t timeout) {
    if (!present_wait_) {
        log::error("vkWaitForPresent2KHR: the swapchain was created without "
                   "VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR");
        return VK_ERROR_VALIDATION_FAILED_EXT;
    }
    return presenter_->wait_for_present(id, Deadline::from_vulkan(timeout));
}

std::expected<VkDeviceMemory, VkResult> Swapchain::memory_for_alias(uint32_t image_index,
                                                                    VkImage alias) {
    const image::SwapchainImage& image = images_[image_index];
    if (!image.dedicated)
        return image.memory.get();
    auto memory = image::import_for_alias(device_, image, alias);
    if (!memory)
        return std::unexpected(memory.error());
    const VkDeviceMemory handle = memory->get();
    alias_memory_.with([&](auto& all) { all.push_back(std::move(*memory)); });
    return handle;
}

} // namespace fencebridge
