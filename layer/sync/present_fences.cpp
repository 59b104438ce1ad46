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

VkResult PresentFences::signal(VkQueue queue, const Fd& rendering_fence, VkFence fence) {
    VkResult result = signal_by_sync_file(queue, rendering_fence, fence);
    if (result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST)
        result = signal_after_wait(queue, rendering_fence, fence);
    if (result != VK_SUCCESS)
        signal_lost_fence(device_, queue, fence);
    return result;
}

/// @return VK_SUCCESS or VK_ERROR_DEVICE_LOST
VkResult PresentFences::signal_after_wait(VkQueue queue, const Fd& rendering_fence, VkFence fence) {
    log::error("a sync_file cannot signal the VkFence of a present: out of memory or descriptors; "
               "waiting on the CPU for this frame's rendering");
    if (wait_on_cpu(rendering_) != VK_SUCCESS || wait_on_cpu(rendering_fence) != VK_SUCCESS)
        return VK_ERROR_DEVICE_LOST;
    rendering_.reset();
    return signaller_.signal_fence(queue, Fd(), fence) == VK_SUCCESS ? VK_SUCCESS
                                                                     : VK_ERROR_DEVICE_LOST;
}

/// @return VK_SUCCESS, VK_ERROR_DEVICE_LOST or VK_ERROR_OUT_OF_HOST_MEMORY
VkResult PresentFences::signal_by_sync_file(VkQueue queue, const Fd& rendering_fence,
                                            VkFence fence) {
    if (!signaller_.can_import())
        return signaller_.signal_fence(queue, Fd(), fence);
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
