// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <set>
#include <span>
#include <vulkan/vulkan.h>

#include "sync/pool.hpp"
#include "util/fd.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Turns "these semaphores have signalled" into a sync_file, which takes the place of the wait that
/// vkQueuePresentKHR makes for them. In the order of what it costs:
///   - the semaphores themselves are exported: no submission;
///   - a submission waits for them and signals a semaphore of ours, or a fence where the driver
///     exports no semaphores, which is exported;
///   - a submission, which is waited for on the CPU, where the driver exports neither.
/// One for a device; used from many threads.
class RenderingExporter {
public:
    explicit RenderingExporter(const vk::Device& device) : device_(device) {}

    /// Creates a semaphore for the application, such that it can be exported where that is free.
    /// vkCreateSemaphore.
    [[nodiscard]] VkResult create_semaphore(const VkSemaphoreCreateInfo& info,
                                            const VkAllocationCallbacks* allocator,
                                            VkSemaphore* semaphore);
    /// The application destroys a semaphore.
    void forget(VkSemaphore semaphore);

    /// @param queue  the queue of the application's vkQueuePresentKHR, which is externally
    ///               synchronised for the call
    /// @param waits  binary semaphores; their signals are consumed. None: all that was submitted to
    ///               the queue before is waited for.
    /// @return a sync_file, empty when all is done already. When the driver cannot export for want
    ///         of memory or descriptors, the queue has been waited for and the result is empty.
    [[nodiscard]] std::expected<Fd, VkResult> take(VkQueue queue,
                                                   std::span<const VkSemaphore> waits);

private:
    /// A fence whose submission is under way until its sync_file signals.
    struct UsedFence {
        vk::Fence fence;
        Fd sync_file;
    };

    bool can_export(std::span<const VkSemaphore> waits) const;
    std::expected<Fd, VkResult> export_directly(VkQueue queue, std::span<const VkSemaphore> waits);
    std::expected<Fd, VkResult> submit(VkQueue queue, std::span<const VkSemaphore> waits);
    std::expected<Fd, VkResult> submit_semaphore(VkQueue queue, std::span<const VkSemaphore> waits);
    std::expected<Fd, VkResult> submit_fence(VkQueue queue, std::span<const VkSemaphore> waits);
    VkResult submit_to(VkQueue queue, std::span<const VkSemaphore> waits, VkSemaphore signal,
                       VkFence fence) const;
    std::expected<Fd, VkResult> wait_for_queue(VkQueue queue) const;
    std::expected<Pool<vk::Semaphore>::Item, VkResult> take_semaphore();
    std::expected<Pool<UsedFence>::Item, VkResult> take_fence();

    const vk::Device& device_;
    /// Unsignalled; the submission that signalled one last may still be under way, but its signal
    /// has been taken by the export.
    Pool<vk::Semaphore> semaphores_;
    Pool<UsedFence> fences_;
    /// Those of the application's that cannot be exported, because of how it made them.
    Locked<std::set<VkSemaphore>> opaque_;
};

} // namespace fencebridge::sync
