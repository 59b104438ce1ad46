// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <mutex>
#include <vulkan/vulkan.h>

#include "sync/pool.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Makes a sync_file the payload of the application's semaphore and fence: by importing it
/// (VK_KHR_external_semaphore_fd, VK_KHR_external_fence_fd), or, where the driver does not import
/// into one of them, by a submission to a queue of the layer's own that signals it. One for a
/// device; used from many threads.
class PayloadImporter {
public:
    explicit PayloadImporter(const vk::Device& device) : device_(device) {}

    /// @param sync_file  empty: semaphore and fence have signalled, or will as soon as the queue
    ///                   gets to it. Otherwise the driver must import into semaphores.
    /// @param semaphore, fence  of the application's; either may be null
    /// @return VK_SUCCESS, VK_ERROR_OUT_OF_HOST_MEMORY or VK_ERROR_DEVICE_LOST, with neither
    ///         signalled then
    [[nodiscard]] VkResult import(Fd sync_file, VkSemaphore semaphore, VkFence fence);

private:
    /// A semaphore that a submission waits for, and a fence that tells when it is free again.
    struct Wait {
        vk::Semaphore semaphore;
        vk::Fence done;
    };

    void take_off(VkFence fence, bool submitted) const;
    VkResult signal_by_submission(Fd sync_file, VkSemaphore semaphore, VkFence fence);
    std::expected<Pool<Wait>::Item, VkResult> take_wait();

    const vk::Device& device_;
    Pool<Wait> waits_; ///< some may still be in use
    Pool<Wait> stuck_; ///< in use, and nothing will tell when no longer; kept until the device goes
    /// The queue is externally synchronised, and the layer is all of its users: this one lock is
    /// held over a call down.
    std::mutex queue_mutex_;
};

} // namespace fencebridge::sync
