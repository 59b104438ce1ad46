// SPDX-License-Identifier: MIT
#include "headless/presenter.hpp"

#include <algorithm>
#include <array>
#include <sys/eventfd.h>

#include "core/surface_limits.hpp"
#include "ioctl/ioctl.hpp"
#include "swapchain/trace.hpp"
#include "util/log.hpp"

namespace fencebridge::headless {

HeadlessPresenter::~HeadlessPresenter() {
    log::info("headless swapchain closed: frames=%llu",
              static_cast<unsigned long long>(frames_.load()));
}

std::expected<core::EventStamp, VkResult> HeadlessPresenter::update() {
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(eventfd_.get(), &count));
    return core::EventStamp{frames_.load()};
}

VkResult HeadlessPresenter::wait(core::EventStamp seen, const Deadline& deadline,
                                 std::span<pollfd> also) {
    if (core::EventStamp{frames_.load()} != seen)
        return VK_SUCCESS;
    std::array<pollfd, 1 + core::max_images> polled;
    polled[0] = {.fd = eventfd_.get(), .events = POLLIN, .revents = 0};
    std::ranges::copy(also, polled.begin() + 1);
    const auto ready = ioctl::retry_poll(std::span(polled).first(1 + also.size()), deadline);
    std::copy_n(polled.begin() + 1, also.size(), also.begin());
    if (!ready) {
        log::error("ppoll for a headless swapchain: %s", ioctl::text(ready.error()).c_str());
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return *ready ? VK_SUCCESS : VK_TIMEOUT;
}

/// Releases the image at once. So the next snapshot of the image contains this rendering, and the
/// application's next work on the image waits for it, on the GPU.
VkResult HeadlessPresenter::show(const PresentRequest& request,
                                 const std::optional<core::CommitPoints>&) {
    state_.ring.with([&](core::ImageRing& ring) { ring.mark_released(request.image); });
    trace::released(&state_, request.image);
    if (request.timed != nullptr) {
        static_cast<void>(request.timed->schedule());
        request.timed->queued();
        state_.timing->discarded(request.timed->serial());
    }
    if (request.id) {
        {
            const std::lock_guard guard(completions_mutex_);
            completions_.presented(*request.id);
        }
        completed_.notify_all();
    }
    ++frames_;
    static_cast<void>(::eventfd_write(eventfd_.get(), 1));
    return VK_SUCCESS;
}

VkResult HeadlessPresenter::wait_for_present(core::PresentId id, const Deadline& deadline) {
    std::unique_lock lock(completions_mutex_);
    const auto is_complete = [&] { return completions_.result_for(id).has_value(); };
    if (!deadline.time())
        completed_.wait(lock, is_complete);
    else if (!completed_.wait_until(lock, *deadline.time(), is_complete))
        return VK_TIMEOUT;
    return VK_SUCCESS;
}

} // namespace fencebridge::headless
