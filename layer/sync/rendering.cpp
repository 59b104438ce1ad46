// SPDX-License-Identifier: MIT
#include "sync/rendering.hpp"

#include <array>
#include <chrono>
#include <poll.h>

#include "core/present_result.hpp"
#include "ioctl/ioctl.hpp"
#include "ioctl/sync_file.hpp"
#include "sync/fence_poll.hpp"
#include "sync/traced_wait.hpp"
#include "util/deadline.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

/// How often a wait for a VkFence looks at its interrupt, and how long a wait goes on after an
/// interrupt: a merged sync_file signals a moment after the fences in it.
constexpr std::chrono::milliseconds grace{100};
constexpr uint64_t grace_ns = std::chrono::nanoseconds(grace).count();
/// How often a wait for a VkFence is repeated, every 0.1 s, while the driver is out of memory.
constexpr int max_failures = 30;

VkResult wait_for(const Fd& sync_file, const Fd* interrupt) {
    if (interrupt == nullptr)
        return wait_on_cpu(sync_file);
    std::array polled = {pollfd{.fd = sync_file.get(), .events = POLLIN, .revents = 0},
                         pollfd{.fd = interrupt->get(), .events = POLLIN, .revents = 0}};
    const auto ready = ioctl::retry_poll(polled, Deadline::never());
    const auto ended = ready && polled[0].revents == 0
                           ? ioctl::wait_signalled(sync_file, Deadline::after(grace))
                           : true;
    // A failed wait is repeated, and logged if it fails again.
    return !ended || *ended ? wait_on_cpu(sync_file) : VK_TIMEOUT;
}

/// Waits until the descriptor is readable, or until the deadline.
bool becomes_readable(const Fd& fd, const Deadline& deadline) {
    std::array polled = {pollfd{.fd = fd.get(), .events = POLLIN, .revents = 0}};
    const auto ready = ioctl::retry_poll(polled, deadline);
    return ready && polled[0].revents != 0;
}

} // namespace

bool FencePool::Use::has_signalled() {
    const VkResult status = pool_.device_.next.GetFenceStatus(pool_.device_.handle, get());
    return status == VK_SUCCESS || status == VK_ERROR_DEVICE_LOST;
}

VkResult FencePool::Use::wait(const Fd* interrupt) {
    const VkFence fence = get();
    const Fd never;
    const Fd& interrupting = interrupt == nullptr ? never : *interrupt;
    bool interrupted = false;
    for (int failures = 0;;) {
        const VkResult result = pool_.device_.next.WaitForFences(
            pool_.device_.handle, 1, &fence, VK_TRUE, interrupt == nullptr ? UINT64_MAX : grace_ns);
        if (result == VK_SUCCESS)
            return VK_SUCCESS;
        const bool out_of_memory = core::is_out_of_memory(result);
        failures = out_of_memory ? failures + 1 : 0;
        if ((result != VK_TIMEOUT && !out_of_memory) || failures > max_failures) {
            log::error("vkWaitForFences for a rendering: %d; the device is lost", result);
            return VK_ERROR_DEVICE_LOST;
        }
        if (interrupted)
            return VK_TIMEOUT;
        // Lack of memory passes, and says nothing about the rendering.
        if (failures == 1)
            log::error("vkWaitForFences for a rendering: out of memory (%d); waiting again",
                       result);
        interrupted = becomes_readable(interrupting, out_of_memory ? Deadline::after(grace)
                                                                   : Deadline::immediate());
    }
}

std::expected<std::shared_ptr<FencePool::Use>, VkResult> FencePool::obtain() {
    auto fence = obtain_fence();
    if (!fence)
        return std::unexpected(fence.error());
    return std::make_shared<Use>(*this, std::move(*fence));
}

std::expected<Pool<vk::Fence>::Item, VkResult> FencePool::obtain_fence() {
    if (auto unused = unused_.pop())
        return unused;
    if (auto oldest = submitted_.pop()) {
        const VkFence fence = oldest->get();
        // A status query does not wait.
        if (device_.next.GetFenceStatus(device_.handle, fence) == VK_SUCCESS &&
            device_.next.ResetFences(device_.handle, 1, &fence) == VK_SUCCESS)
            return oldest;
        submitted_.push(std::move(oldest));
    }
    auto made = vk::create_fence(device_, 0);
    if (!made)
        return std::unexpected(made.error());
    return Pool<vk::Fence>::Item(std::move(*made));
}

bool Rendering::has_ended() const {
    if (fence_)
        return fence_->has_signalled();
    if (!sync_file_)
        return true;
    const auto signalled = ioctl::wait_signalled(sync_file_, Deadline::immediate());
    return signalled && *signalled;
}

VkResult Rendering::wait(const Fd* interrupt) const {
    if (fence_) {
        const trace::Span span(trace::event::wait, "VkFence");
        return fence_->wait(interrupt);
    }
    if (!sync_file_)
        return VK_SUCCESS;
    const TracedWait traced(sync_file_);
    return wait_for(sync_file_, interrupt);
}

Rendering Rendering::share() const {
    return fence_ ? Rendering(fence_) : Rendering(sync_file_ ? sync_file_.duplicate() : Fd());
}

std::expected<Rendering, VkResult> Rendering::share_or_wait() const {
    Rendering shared = share();
    if (shared.may_run() || !may_run())
        return shared;
    log::slow(log::Level::error,
              "out of descriptors; waiting on the CPU for this frame's rendering");
    if (const VkResult result = wait(); result != VK_SUCCESS)
        return std::unexpected(result);
    return shared;
}

std::expected<Rendering, VkResult> merge_or_wait(Rendering one, Rendering other) {
    if (!one.may_run())
        return other;
    if (!other.may_run())
        return one;
    if (!one.has_vk_fence() && !other.has_vk_fence()) {
        auto both = ioctl::merge(one.sync_file(), other.sync_file());
        if (both)
            return Rendering(std::move(*both));
        log::slow(log::Level::error,
                  "SYNC_IOC_MERGE: %s; waiting on the CPU for a part of this frame's rendering",
                  ioctl::text(both.error()).c_str());
    }
    if (const VkResult result = one.wait(); result != VK_SUCCESS)
        return std::unexpected(result);
    return other;
}

} // namespace fencebridge::sync
