// SPDX-License-Identifier: MIT
#pragma once

#include <vulkan/vulkan.h>

#include "sync/payload_signal.hpp"
#include "util/fd.hpp"

namespace fencebridge::sync {

/// Signals the fences of one swapchain's presents (VkSwapchainPresentFenceInfoKHR), each when the
/// rendering of its present has ended: then the wait semaphores are not used any more, and the
/// window system has what it needs of the image. The specification wants the fences to signal in
/// the order of the presents. So each one waits for the rendering of the presents before it, too.
/// Used by the presenting thread only.
class PresentFences {
public:
    explicit PresentFences(PayloadSignaller& signaller) : signaller_(signaller) {}

    /// Makes a fence signal by the sync_file of the rendering. Waits on the CPU only if that fails.
    /// @param queue  of vkQueuePresentKHR
    /// @param rendering_fence  has signalled if PayloadSignaller::can_import() is false: then the
    ///                         transport is `cpu`, which has waited for it
    /// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST. The wait semaphores have been consumed, so that
    ///         no other error is possible: after lack of memory, the specification wants them to
    ///         have their signals
    [[nodiscard]] VkResult signal(VkQueue queue, const Fd& rendering_fence, VkFence fence);

private:
    VkResult signal_by_sync_file(VkQueue queue, const Fd& rendering_fence, VkFence fence);
    bool add(const Fd& rendering_fence);

    PayloadSignaller& signaller_;
    /// Signals when the rendering of all presents with a fence has ended. Empty: it has.
    Fd rendering_;
};

} // namespace fencebridge::sync
