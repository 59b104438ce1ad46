// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <set>
#include <span>
#include <vulkan/vulkan.h>

#include "sync/pool.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"
#include "util/locked.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Turns the wait semaphores of vkQueuePresentKHR into one sync_file or VkFence, the rendering
/// fence, which signals when all of them have signalled. Uses the cheapest way that the driver
/// allows:
///   1. Export the semaphores. No submission.
///   2. Make a submission that waits for the semaphores and signals a semaphore of the layer's, or
///      a VkFence if the driver exports no semaphores. Export that semaphore or VkFence.
///   3. The same submission with a VkFence that cannot be exported.
/// One for each device; used by many threads.
class WaitSemaphoreExporter {
public:
    explicit WaitSemaphoreExporter(const vk::Device& device) :
        device_(device), plain_fences_(device) {}

    /// vkCreateSemaphore. Makes a binary semaphore exportable as SYNC_FD if the driver can export
    /// it whatever payload is imported into it (vk::PhysicalDevice::semaphores_export_freely). A
    /// semaphore for which the application itself chooses handle types stays as it is.
    [[nodiscard]] VkResult create_semaphore(const VkSemaphoreCreateInfo& info,
                                            const VkAllocationCallbacks* allocator,
                                            VkSemaphore* semaphore);
    /// For a semaphore that is about to be destroyed.
    void forget(VkSemaphore semaphore);

    /// Consumes the semaphores' signals, as the wait of vkQueuePresentKHR does.
    /// @param queue  the queue of vkQueuePresentKHR, externally synchronised during the call
    /// @param waits     binary semaphores. If there are none, the rendering ends when all work has
    ///                  ended that was submitted to the queue before.
    /// @param commands  executed after the semaphores have signalled. The rendering ends with
    ///                  them.
    /// @return the rendering. If the export of a semaphore fails, this
    ///         submits a wait for it and those after it. If the export after a submission fails,
    ///         this waits for the queue on the CPU. After lack of memory, all semaphores have their
    ///         signals; if some have been consumed, the error is VK_ERROR_DEVICE_LOST.
    [[nodiscard]] std::expected<Rendering, VkResult>
    export_waits(VkQueue queue, std::span<const VkSemaphore> waits,
                 std::span<const VkCommandBuffer> commands);

private:
    /// What the application's queue is to do before the window system may read.
    struct Work {
        std::span<const VkSemaphore> waits;
        std::span<const VkCommandBuffer> commands;
    };
    /// A fence that its last submission uses until the sync_file signals.
    struct UsedFence {
        vk::Fence fence;
        Fd sync_file;
    };

    bool can_export(const Work& work) const;
    std::expected<Rendering, VkResult> export_directly(VkQueue queue,
                                                       std::span<const VkSemaphore> waits);
    std::expected<Rendering, VkResult> try_to_submit(VkQueue queue, const Work& work) noexcept;
    std::expected<Rendering, VkResult> submit(VkQueue queue, const Work& work);
    std::expected<Rendering, VkResult> submit_semaphore(VkQueue queue, const Work& work);
    std::expected<Rendering, VkResult> submit_fence(VkQueue queue, const Work& work);
    std::expected<Rendering, VkResult> submit_plain_fence(VkQueue queue, const Work& work);
    VkResult submit_to(VkQueue queue, const Work& work, VkSemaphore signal, VkFence fence) const;
    std::expected<Rendering, VkResult> wait_for_queue(VkQueue queue) const;
    std::expected<Pool<vk::Semaphore>::Item, VkResult> obtain_semaphore();
    std::expected<Pool<UsedFence>::Item, VkResult> obtain_fence();

    const vk::Device& device_;
    /// Semaphores without a signal: an export has removed it. Each can be signalled again, also
    /// while its last submission runs.
    Pool<vk::Semaphore> semaphores_;
    Pool<UsedFence> fences_;
    FencePool plain_fences_; ///< for a driver that exports neither
    /// The application's semaphores that cannot be exported, because of how they were created.
    Locked<std::set<VkSemaphore>> not_exportable_;
};

} // namespace fencebridge::sync
