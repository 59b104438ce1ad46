// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "sync/payload_signal.hpp"
#include "sync/rendering.hpp"
#include "util/fd.hpp"
#include "vk/device.hpp"

namespace fencebridge::sync {

/// Signals a fence after VK_ERROR_DEVICE_LOST of a present that has not signalled it. The driver's
/// device may be intact: then only this signals the fence, and vkWaitForFences "must return in
/// finite time even in the case of a lost device".
/// @param queue  externally synchronised during the call
/// @param fence  unsignalled, or null
void signal_lost_fence(const vk::Device& device, VkQueue queue, VkFence fence);

/// Signals the fences of one swapchain's presents (VkSwapchainPresentFenceInfoKHR), each when the
/// rendering of its present has ended: then the wait semaphores are not used any more, and the
/// window system has what it needs of the image. The specification wants the fences to signal in
/// the order of the presents. So each one waits for the rendering of the presents before it, too.
/// Used by the presenting thread only.
class PresentFences {
public:
    PresentFences(const vk::Device& device, PayloadSignaller& signaller) :
        device_(device), signaller_(signaller) {}

    /// Makes a fence signal by the sync_file of the rendering. If there is none, or if the driver
    /// cannot import it, a submission to the queue signals the fence. Waits on the CPU only if that
    /// fails, or for a rendering that neither a sync_file nor the queue stands for: one of another
    /// queue, or with a sync_file that cannot be imported.
    /// @param queue      of vkQueuePresentKHR
    /// @param rendering  if it has a VkFence, it was submitted to that queue
    /// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST; then, too, the fence signals if the driver's
    ///         device is intact. The wait semaphores have been consumed, so that
    ///         no other error is possible: after lack of memory, the specification wants them to
    ///         have their signals
    [[nodiscard]] VkResult signal(VkQueue queue, const Rendering& rendering, VkFence fence);

private:
    VkResult signal_by_sync_file(VkQueue queue, const Fd& rendering_fence, VkFence fence);
    VkResult signal_by_submission(VkQueue queue, const Rendering& rendering, VkFence fence);
    VkResult signal_after_wait(VkQueue queue, const Rendering& rendering, VkFence fence);
    bool add(const Fd& rendering_fence);

    const vk::Device& device_;
    PayloadSignaller& signaller_;
    /// Signals when the rendering of all presents with a fence has ended. Empty: it has.
    Fd rendering_;
    /// The last rendering with a VkFence, and its queue.
    Rendering submitted_;
    VkQueue submitted_to_ = VK_NULL_HANDLE;
};

} // namespace fencebridge::sync
