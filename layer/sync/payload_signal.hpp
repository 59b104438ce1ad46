// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <mutex>
#include <span>
#include <vulkan/vulkan.h>

#include "sync/kept_signals.hpp"
#include "sync/pool.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Makes semaphores and fences of the application signal when a sync_file signals. Imports the
/// sync_file as their payload (VK_KHR_external_semaphore_fd, VK_KHR_external_fence_fd). If the
/// driver cannot import into one of them, a submission signals it. One for each device; used by
/// many threads.
class PayloadSignaller {
public:
    explicit PayloadSignaller(const vk::Device& device) : device_(device), kept_(device) {}

    /// For vkAcquireNextImageKHR. Submits to the layer's own queue, if to any. If it needs that
    /// queue and has none, waits for the sync_file on the CPU, and keeps the signals.
    /// @param sync_file  empty: both signal at once, or as soon as the queue executes the
    ///                   submission. Else the driver must be able to import into semaphores.
    /// @param semaphore, fence  the application's; either may be null
    /// @return VK_SUCCESS; or VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_DEVICE_LOST. After an error,
    ///         neither semaphore nor fence will signal.
    [[nodiscard]] VkResult signal(Fd sync_file, VkSemaphore semaphore, VkFence fence);

    /// For a fence of vkQueuePresentKHR. A submission goes to the application's queue, where the
    /// specification has the wait for the rendering, too. On the layer's queue, later acquires
    /// would wait for that rendering.
    /// @param queue      of vkQueuePresentKHR: externally synchronised during the call
    /// @param sync_file  empty, or the driver must be able to import: see can_import()
    /// @return as above
    [[nodiscard]] VkResult signal_fence(VkQueue queue, Fd sync_file, VkFence fence);

    /// Makes a fence signal when everything has ended that was submitted to the queue so far.
    /// @param queue  externally synchronised during the call
    /// @return as above
    [[nodiscard]] VkResult submit_fence(VkQueue queue, VkFence fence);

    /// Whether signal() keeps signals.
    [[nodiscard]] bool keeps() const {
        return device_.own_queue == VK_NULL_HANDLE &&
               (!device_.sync_fd.import_semaphore || !device_.sync_fd.import_fence);
    }
    [[nodiscard]] KeptSignals& kept() { return kept_; }
    /// Before a submission that waits for these semaphores: KeptSignals::submit_for().
    /// @return VK_SUCCESS, or the driver's error
    [[nodiscard]] VkResult submit_signals(VkQueue queue, std::span<const VkSemaphore> waits) {
        return keeps() && !waits.empty() ? kept_.submit_for(queue, waits) : VK_SUCCESS;
    }

    /// Whether signal_fence() can make a fence wait for a sync_file.
    [[nodiscard]] bool can_import() const {
        return device_.sync_fd.import_fence || device_.sync_fd.import_semaphore;
    }

private:
    /// A semaphore that a submission waits for, and a fence that signals when the semaphore can be
    /// used again.
    struct Wait {
        vk::Semaphore semaphore;
        vk::Fence done;
    };

    void unsignal(VkFence fence, bool submitted);
    VkResult signal_by_own_queue(Fd sync_file, VkSemaphore semaphore, VkFence fence);
    VkResult wait_and_keep(Fd sync_file, VkSemaphore semaphore, VkFence fence);
    VkResult signal_by_submission(VkQueue queue, Pool<Wait>::Item wait, VkSemaphore semaphore,
                                  VkFence fence);
    std::expected<Pool<Wait>::Item, VkResult> prepare_wait(Fd sync_file);
    std::expected<Pool<Wait>::Item, VkResult> obtain_wait();

    const vk::Device& device_;
    KeptSignals kept_; ///< empty if there is a queue of the layer's own
    Pool<Wait> waits_; ///< some may still be in use
    /// The submission that would have signalled `done` failed, so the layer never knows when these
    /// are free. They are kept until the device is destroyed.
    Pool<Wait> not_reusable_;
    /// The layer's queue is externally synchronised, and only the layer uses it. This is the one
    /// lock that is held during a call to the driver.
    std::mutex queue_mutex_;
};

} // namespace fencebridge::sync
