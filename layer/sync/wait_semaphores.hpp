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

/// Turns the wait semaphores of vkQueuePresentKHR into one sync_file, the rendering, which signals
/// when all of them have signalled. Uses the cheapest way that the driver allows:
///   1. Export the semaphores. No submission.
///   2. Submit a wait for the semaphores that signals a semaphore of the layer's (a fence, if the
///      driver exports no semaphores), and export that.
///   3. Submit a wait for the semaphores, and wait for the queue on the CPU.
/// One for each device; used by many threads.
class WaitSemaphoreExporter {
public:
    explicit WaitSemaphoreExporter(const vk::Device& device) : device_(device) {}

    /// vkCreateSemaphore. Makes the application's binary semaphores exportable where that costs
    /// nothing.
    [[nodiscard]] VkResult create_semaphore(const VkSemaphoreCreateInfo& info,
                                            const VkAllocationCallbacks* allocator,
                                            VkSemaphore* semaphore);
    /// For a semaphore that is about to be destroyed.
    void forget(VkSemaphore semaphore);

    /// Consumes the semaphores' signals, as the wait of vkQueuePresentKHR does.
    /// @param queue  the queue of vkQueuePresentKHR, externally synchronised during the call
    /// @param waits  binary semaphores. None: the rendering is all that was submitted to the queue
    ///               before.
    /// @return a sync_file, empty if all is done already. If the driver fails to export for lack of
    ///         memory or descriptors, this waits for the queue on the CPU and returns an empty one.
    [[nodiscard]] std::expected<Fd, VkResult> export_waits(VkQueue queue,
                                                           std::span<const VkSemaphore> waits);

private:
    /// A fence that its last submission uses until the sync_file signals.
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
    std::expected<Pool<vk::Semaphore>::Item, VkResult> obtain_semaphore();
    std::expected<Pool<UsedFence>::Item, VkResult> obtain_fence();

    const vk::Device& device_;
    /// Semaphores without a signal: an export has removed it. Each can be signalled again, also
    /// while its last submission runs.
    Pool<vk::Semaphore> semaphores_;
    Pool<UsedFence> fences_;
    /// The application's semaphores that cannot be exported, because of how they were created.
    Locked<std::set<VkSemaphore>> not_exportable_;
};

} // namespace fencebridge::sync
