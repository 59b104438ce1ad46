// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <span>
#include <vector>
#include <vulkan/vulkan.h>

#include "util/fd.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Makes a sync_file the temporary payload of the application's semaphore and fence, either of
/// which may be null (VK_KHR_external_semaphore_fd, VK_KHR_external_fence_fd).
/// @param sync_file  empty: they have signalled when this returns
[[nodiscard]] VkResult import_payload(const vk::Device& device, Fd sync_file, VkSemaphore semaphore,
                                      VkFence fence);

/// Turns "these semaphores have signalled" into a sync_file: a submission that waits for them and
/// signals a semaphore of ours, which is then exported. One for a device; used from many threads.
class WaitExporter {
public:
    explicit WaitExporter(const vk::Device& device) : device_(device) {}

    /// @param queue  the queue of the application's vkQueuePresentKHR, which is externally
    ///               synchronised for the call
    /// @param waits  binary semaphores; the submission consumes their signals
    /// @return a sync_file, empty when all is done already. When the driver cannot export for want
    ///         of memory or descriptors, the queue has been waited for and the result is empty.
    [[nodiscard]] std::expected<Fd, VkResult> submit(VkQueue queue,
                                                     std::span<const VkSemaphore> waits);

private:
    std::expected<vk::Semaphore, VkResult> take_semaphore();

    const vk::Device& device_;
    /// Unsignalled; the submission that signalled one last may still be under way, but its signal
    /// has been taken by the export.
    Locked<std::vector<vk::Semaphore>> idle_;
};

} // namespace fencebridge::sync
