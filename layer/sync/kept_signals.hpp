// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <span>
#include <vulkan/vulkan.h>

#include "util/deadline.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Signals of vkAcquireNextImageKHR on a driver that imports no SYNC_FD, where the layer has no
/// queue of its own to make them with. Nothing is pending on the image when acquire returns, so its
/// semaphore and fence count as signalled from then on.
///   - A semaphore gets its signal when the application submits a wait for it: the layer submits
///     the signal just before, to the same queue, which the application synchronises.
///   - A fence never gets one. The layer answers for it until it is reset.
/// One for each device; used by many threads.
class KeptSignals {
public:
    explicit KeptSignals(const vk::Device& device) : device_(device) {}

    /// Signals both; either may be null. May throw std::bad_alloc, and then signals neither.
    void keep(VkSemaphore semaphore, VkFence fence);

    /// Before a submission that waits for these semaphores: signals those whose signal is kept.
    /// @param queue  of that submission, externally synchronised during the call
    /// @return the driver's. After an error the signals are still kept
    [[nodiscard]] VkResult submit_for(VkQueue queue, std::span<const VkSemaphore> waits);
    /// The application destroys the semaphore.
    void forget_semaphore(VkSemaphore semaphore);

    /// vkWaitForFences. Notices within 0.1 s that another thread acquires with one of the fences.
    [[nodiscard]] VkResult wait(std::span<const VkFence> fences, bool all, uint64_t timeout);
    /// Whether the fence is signalled, of which the driver does not know.
    [[nodiscard]] bool is_signalled(VkFence fence);
    /// The application resets or destroys the fences.
    void forget_fences(std::span<const VkFence> fences);

private:
    struct State {
        std::set<VkSemaphore> semaphores;
        std::set<VkFence> fences;
    };

    VkResult wait_until(std::span<const VkFence> fences, bool all, Clock::time_point end);

    const vk::Device& device_;
    Locked<State> state_;
};

} // namespace fencebridge::sync
