// SPDX-License-Identifier: MIT
#include "sync/present_fences.hpp"

#include "ioctl/sync_file.hpp"
#include "sync/fence_poll.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

void signal_lost_fence(const vk::Device& device, VkQueue queue, VkFence fence) {
    if (fence != VK_NULL_HANDLE)
        static_cast<void>(device.next.QueueSubmit(queue, 0, nullptr, fence));
}

VkResult PresentFences::signal(VkQueue queue, const Rendering& rendering, VkFence fence) {
    VkResult result = rendering.has_vk_fence() || !signaller_.can_import()
                          ? signal_by_submission(queue, rendering, fence)
                          : signal_by_sync_file(queue, rendering.sync_file(), fence);
    if (result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST)
        result = signal_after_wait(queue, rendering, fence);
    if (result != VK_SUCCESS)
        signal_lost_fence(device_, queue, fence);
    return result;
}

/// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST
VkResult PresentFences::signal_after_wait(VkQueue queue, const Rendering& rendering,
                                          VkFence fence) {
    log::error("the VkFence of a present cannot be signalled by a sync_file or a submission: out "
               "of memory or descriptors; waiting on the CPU for this frame's rendering");
    if (wait_on_cpu(rendering_) != VK_SUCCESS || rendering.wait() != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    rendering_.reset();
    return signaller_.signal_fence(queue, Fd(), fence) == VK_SUCCESS ? VK_SUCCESS
                                                                     : VK_ERROR_DEVICE_LOST;
}

/// @return VK_SUCCESS, VK_ERROR_DEVICE_LOST or VK_ERROR_OUT_OF_HOST_MEMORY
VkResult PresentFences::signal_by_sync_file(VkQueue queue, const Fd& rendering_fence,
                                            VkFence fence) {
    if (!add(rendering_fence))
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    Fd sync_file;
    if (rendering_) {
        sync_file = rendering_.duplicate();
        if (!sync_file)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return signaller_.signal_fence(queue, std::move(sync_file), fence);
}

/// @return VK_SUCCESS, VK_ERROR_DEVICE_LOST or VK_ERROR_OUT_OF_HOST_MEMORY
VkResult PresentFences::signal_by_submission(VkQueue queue, const Rendering& rendering,
                                             VkFence fence) {
    // The fences signal in the order of the presents. Of one queue they do by themselves.
    if (submitted_.may_run() && submitted_to_ != queue && submitted_.wait() != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    if (!rendering.has_vk_fence() && rendering.wait() != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    submitted_ = rendering.has_vk_fence() ? rendering.share() : Rendering();
    submitted_to_ = queue;
    return signaller_.submit_fence(queue, fence);
}

/// Adds the rendering of a present to that of the presents before it.
/// @return false, and nothing changes, if memory or descriptors ran out
bool PresentFences::add(const Fd& rendering_fence) {
    if (rendering_) {
        const auto signalled = ioctl::wait_signalled(rendering_, Deadline::immediate());
        if (signalled && *signalled)
            rendering_.reset();
    }
    if (!rendering_fence)
        return true;
    if (!rendering_) {
        rendering_ = rendering_fence.duplicate();
        return static_cast<bool>(rendering_);
    }
    auto both = ioctl::merge(rendering_, rendering_fence);
    if (both)
        rendering_ = std::move(*both);
    return both.has_value();
}

} // namespace fencebridge::sync
