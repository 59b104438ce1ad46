// SPDX-License-Identifier: MIT
#include "sync/payload_signal.hpp"

#include <new>

#include "sync/fence_poll.hpp"
#include "sync/traced_wait.hpp"

namespace fencebridge::sync {

namespace {

/// The driver owns the descriptor only after a successful import.
VkResult import_semaphore(const vk::Device& device, VkSemaphore semaphore, Fd sync_file) {
    const VkImportSemaphoreFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = semaphore,
        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = sync_file.get(),
    };
    const VkResult result = device.next.ImportSemaphoreFdKHR(device.handle, &info);
    if (result == VK_SUCCESS)
        static_cast<void>(sync_file.release());
    return result;
}

VkResult import_fence(const vk::Device& device, VkFence fence, Fd sync_file) {
    const VkImportFenceFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
        .fence = fence,
        .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = sync_file.get(),
    };
    const VkResult result = device.next.ImportFenceFdKHR(device.handle, &info);
    if (result == VK_SUCCESS)
        static_cast<void>(sync_file.release());
    return result;
}

/// Converts the error of a failed import to one that vkAcquireNextImageKHR and vkQueuePresentKHR
/// may return. The layer imports only valid sync_files, so VK_ERROR_INVALID_EXTERNAL_HANDLE can
/// only mean that the driver lacks resources.
VkResult signal_error(VkResult result) {
    return result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST ? result
                                                                  : VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace

VkResult PayloadSignaller::signal(Fd sync_file, VkSemaphore semaphore, VkFence fence) {
    const bool imports_semaphore = semaphore != VK_NULL_HANDLE && device_.sync_fd.import_semaphore;
    const bool imports_fence = fence != VK_NULL_HANDLE && device_.sync_fd.import_fence;
    Fd for_fence;
    if (imports_semaphore && fence != VK_NULL_HANDLE && sync_file) {
        for_fence = sync_file.duplicate();
        if (!for_fence)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    } else if (!imports_semaphore) {
        for_fence = std::move(sync_file);
    }
    // The fence first: if the semaphore's import fails, the fence can be reset. A semaphore's
    // payload could only be removed by a wait.
    if (imports_fence) {
        const VkResult result = import_fence(device_, fence, std::move(for_fence));
        if (result != VK_SUCCESS)
            return signal_error(result);
    }
    const VkSemaphore submitted_semaphore = imports_semaphore ? VK_NULL_HANDLE : semaphore;
    const VkFence submitted_fence = imports_fence ? VK_NULL_HANDLE : fence;
    VkResult result = VK_SUCCESS;
    if (submitted_semaphore != VK_NULL_HANDLE || submitted_fence != VK_NULL_HANDLE)
        result = keeps() ? wait_and_keep(std::move(for_fence), submitted_semaphore, submitted_fence)
                         : signal_by_own_queue(std::move(for_fence), submitted_semaphore,
                                               submitted_fence);
    const bool submitted = submitted_fence != VK_NULL_HANDLE && result == VK_SUCCESS;
    if (result == VK_SUCCESS && imports_semaphore)
        result = import_semaphore(device_, semaphore, std::move(sync_file));
    if (result != VK_SUCCESS && fence != VK_NULL_HANDLE && (imports_fence || submitted))
        unsignal(fence, submitted);
    return signal_error(result);
}

/// Makes the fence unsignalled again, after a failure. A submission that signals the fence has to
/// end first.
void PayloadSignaller::unsignal(VkFence fence, bool submitted) {
    if (keeps())
        kept_.forget_fences(std::span(&fence, 1));
    else if (submitted && device_.next.WaitForFences(device_.handle, 1, &fence, VK_TRUE,
                                                     UINT64_MAX) != VK_SUCCESS)
        return;
    static_cast<void>(device_.next.ResetFences(device_.handle, 1, &fence));
}

VkResult PayloadSignaller::signal_fence(VkQueue queue, Fd sync_file, VkFence fence) {
    if (device_.sync_fd.import_fence)
        return signal_error(import_fence(device_, fence, std::move(sync_file)));
    auto wait = prepare_wait(std::move(sync_file));
    if (!wait)
        return signal_error(wait.error());
    return signal_error(signal_by_submission(queue, std::move(*wait), VK_NULL_HANDLE, fence));
}

VkResult PayloadSignaller::submit_fence(VkQueue queue, VkFence fence) {
    return signal_error(device_.next.QueueSubmit(queue, 0, nullptr, fence));
}

VkResult PayloadSignaller::signal_by_own_queue(Fd sync_file, VkSemaphore semaphore, VkFence fence) {
    auto wait = prepare_wait(std::move(sync_file));
    if (!wait)
        return wait.error();
    const std::lock_guard guard(queue_mutex_);
    return signal_by_submission(device_.own_queue, std::move(*wait), semaphore, fence);
}

VkResult PayloadSignaller::wait_and_keep(Fd sync_file, VkSemaphore semaphore, VkFence fence) {
    if (sync_file) {
        const TracedWait traced(sync_file);
        if (wait_on_cpu(sync_file) != VK_SUCCESS)
            return VK_ERROR_DEVICE_LOST;
    }
    try {
        kept_.keep(semaphore, fence);
        return VK_SUCCESS;
    } catch (const std::bad_alloc&) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
}

/// A semaphore of the layer's with the sync_file as its payload. Empty if the sync_file is.
std::expected<Pool<PayloadSignaller::Wait>::Item, VkResult>
PayloadSignaller::prepare_wait(Fd sync_file) {
    if (!sync_file)
        return Pool<Wait>::Item();
    auto wait = obtain_wait();
    if (!wait)
        return wait;
    const VkResult result =
        import_semaphore(device_, (*wait)->semaphore.get(), std::move(sync_file));
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return wait;
}

/// @param queue  externally synchronised during the call
/// @param wait   empty: the submission waits for nothing
VkResult PayloadSignaller::signal_by_submission(VkQueue queue, Pool<Wait>::Item wait,
                                                VkSemaphore semaphore, VkFence fence) {
    const VkSemaphore waited = wait ? wait->semaphore.get() : VK_NULL_HANDLE;
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo submission = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = waited != VK_NULL_HANDLE ? 1u : 0u,
        .pWaitSemaphores = &waited,
        .pWaitDstStageMask = &stage,
        .signalSemaphoreCount = semaphore != VK_NULL_HANDLE ? 1u : 0u,
        .pSignalSemaphores = &semaphore,
    };
    const VkResult result = device_.next.QueueSubmit(queue, 1, &submission, fence);
    if (result != VK_SUCCESS || !wait)
        return result;
    // A fence of the layer's own: the application may reset or destroy its fence before the layer
    // needs the semaphore again.
    const VkResult marked = device_.next.QueueSubmit(queue, 0, nullptr, wait->done.get());
    (marked == VK_SUCCESS ? waits_ : not_reusable_).push(std::move(wait));
    return VK_SUCCESS;
}

std::expected<Pool<PayloadSignaller::Wait>::Item, VkResult> PayloadSignaller::obtain_wait() {
    if (auto oldest = waits_.pop()) {
        const VkFence done = oldest->done.get();
        // A status query does not wait.
        if (device_.next.GetFenceStatus(device_.handle, done) == VK_SUCCESS &&
            device_.next.ResetFences(device_.handle, 1, &done) == VK_SUCCESS)
            return oldest;
        waits_.push(std::move(oldest));
    }
    auto semaphore = vk::create_semaphore(device_, 0);
    if (!semaphore)
        return std::unexpected(semaphore.error());
    auto fence = vk::create_fence(device_, 0);
    if (!fence)
        return std::unexpected(fence.error());
    // The caller has to undo what it has done: an exception would leave an image acquired.
    try {
        return Pool<Wait>::Item({std::move(*semaphore), std::move(*fence)});
    } catch (const std::bad_alloc&) {
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
}

} // namespace fencebridge::sync
