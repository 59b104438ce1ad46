// SPDX-License-Identifier: MIT
#include "sync/kept_signals.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace fencebridge::sync {

void KeptSignals::keep(VkSemaphore semaphore, VkFence fence) {
    // Allocated first, so that nothing can fail half-way.
    std::set<VkSemaphore> one_semaphore;
    std::set<VkFence> one_fence;
    if (semaphore != VK_NULL_HANDLE)
        one_semaphore.insert(semaphore);
    if (fence != VK_NULL_HANDLE)
        one_fence.insert(fence);
    state_.with([&](State& state) {
        state.semaphores.merge(one_semaphore);
        state.fences.merge(one_fence);
    });
}

VkResult KeptSignals::submit_for(VkQueue queue, std::span<const VkSemaphore> waits) {
    const auto kept = state_.with([&](const State& state) {
        std::vector<VkSemaphore> found;
        std::ranges::copy_if(waits, std::back_inserter(found), [&](VkSemaphore semaphore) {
            return state.semaphores.contains(semaphore);
        });
        return found;
    });
    if (kept.empty())
        return VK_SUCCESS;
    const VkSubmitInfo signals = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .signalSemaphoreCount = static_cast<uint32_t>(kept.size()),
        .pSignalSemaphores = kept.data(),
    };
    const VkResult result = device_.next.QueueSubmit(queue, 1, &signals, VK_NULL_HANDLE);
    if (result == VK_SUCCESS)
        state_.with([&](State& state) {
            for (const VkSemaphore semaphore : kept)
                state.semaphores.erase(semaphore);
        });
    return result;
}

void KeptSignals::forget_semaphore(VkSemaphore semaphore) {
    state_.with([&](State& state) { state.semaphores.erase(semaphore); });
}

VkResult KeptSignals::wait(std::span<const VkFence> fences, bool all, uint64_t timeout) {
    // Another thread may acquire with one of the fences meanwhile, which the driver does not
    // notice.
    constexpr std::chrono::milliseconds moment{100};
    const Deadline deadline = Deadline::from_vulkan(timeout);
    for (;;) {
        const auto next_look = Clock::now() + moment;
        const VkResult result =
            wait_until(fences, all, std::min(deadline.time().value_or(next_look), next_look));
        if (result != VK_TIMEOUT || deadline.has_passed())
            return result;
    }
}

VkResult KeptSignals::wait_until(std::span<const VkFence> fences, bool all, Clock::time_point end) {
    std::span<const VkFence> drivers = fences;
    const auto pending = state_.with([&](const State& state) {
        std::vector<VkFence> found;
        if (!state.fences.empty())
            std::ranges::copy_if(fences, std::back_inserter(found),
                                 [&](VkFence fence) { return !state.fences.contains(fence); });
        return state.fences.empty() ? std::nullopt : std::optional(std::move(found));
    });
    if (pending && pending->size() < fences.size()) {
        if (!all || pending->empty())
            return VK_SUCCESS;
        drivers = *pending;
    }
    const auto left = std::max(std::chrono::nanoseconds(0), end - Clock::now());
    return device_.next.WaitForFences(device_.handle, static_cast<uint32_t>(drivers.size()),
                                      drivers.data(), all ? VK_TRUE : VK_FALSE,
                                      static_cast<uint64_t>(left.count()));
}

bool KeptSignals::is_signalled(VkFence fence) {
    return state_.with([&](const State& state) { return state.fences.contains(fence); });
}

void KeptSignals::forget_fences(std::span<const VkFence> fences) {
    state_.with([&](State& state) {
        for (const VkFence fence : fences)
            state.fences.erase(fence);
    });
}

} // namespace fencebridge::sync
