// SPDX-License-Identifier: MIT
#include "sync/payload.hpp"

#include "util/log.hpp"
#include "vk/chain.hpp"

namespace fencebridge::sync {

namespace {

/// An import takes the descriptor over only when it succeeds.
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

/// The failures that vkAcquireNextImageKHR may give for an import that failed: the handle was
/// ours to choose, so a handle that the driver calls invalid is its want of resources.
VkResult acquire_error(VkResult result) {
    return result == VK_ERROR_DEVICE_LOST ? result : VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace

VkResult import_payload(const vk::Device& device, Fd sync_file, VkSemaphore semaphore,
                        VkFence fence) {
    const bool both = semaphore != VK_NULL_HANDLE && fence != VK_NULL_HANDLE;
    Fd second;
    if (both && sync_file) {
        second = sync_file.duplicate();
        if (!second)
            return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    // The fence first: its payload can be taken off again when the semaphore's import fails, where
    // a semaphore's could only be waited away.
    if (fence != VK_NULL_HANDLE) {
        const VkResult result =
            import_fence(device, fence, both ? std::move(second) : std::move(sync_file));
        if (result != VK_SUCCESS)
            return acquire_error(result);
    }
    if (semaphore != VK_NULL_HANDLE) {
        const VkResult result = import_semaphore(device, semaphore, std::move(sync_file));
        if (result != VK_SUCCESS) {
            if (fence != VK_NULL_HANDLE)
                static_cast<void>(device.next.ResetFences(device.handle, 1, &fence));
            return acquire_error(result);
        }
    }
    return VK_SUCCESS;
}

std::expected<vk::Semaphore, VkResult> WaitExporter::take_semaphore() {
    auto idle = idle_.with([](std::vector<vk::Semaphore>& all) {
        vk::Semaphore semaphore;
        if (!all.empty()) {
            semaphore = std::move(all.back());
            all.pop_back();
        }
        return semaphore;
    });
    if (idle.get() != VK_NULL_HANDLE)
        return idle;

    VkExportSemaphoreCreateInfo exportable = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    vk::chain(info, exportable);
    VkSemaphore semaphore = VK_NULL_HANDLE;
    const VkResult result =
        device_.next.CreateSemaphore(device_.handle, &info, nullptr, &semaphore);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return vk::Semaphore(device_, semaphore);
}

std::expected<Fd, VkResult> WaitExporter::submit(VkQueue queue,
                                                 std::span<const VkSemaphore> waits) {
    auto done = take_semaphore();
    if (!done)
        return std::unexpected(done.error());

    const VkSemaphore signal = done->get();
    const std::vector<VkPipelineStageFlags> stages(waits.size(),
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkSubmitInfo submission = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = static_cast<uint32_t>(waits.size()),
        .pWaitSemaphores = waits.data(),
        .pWaitDstStageMask = stages.data(),
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &signal,
    };
    VkResult result = device_.next.QueueSubmit(queue, 1, &submission, VK_NULL_HANDLE);
    if (result != VK_SUCCESS) {
        // Nothing was submitted and the application's semaphores are as they were.
        if (result != VK_ERROR_DEVICE_LOST)
            idle_.with([&](auto& all) { all.push_back(std::move(*done)); });
        return std::unexpected(result);
    }

    const VkSemaphoreGetFdInfoKHR export_info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
        .semaphore = done->get(),
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int sync_file = -1;
    result = device_.next.GetSemaphoreFdKHR(device_.handle, &export_info, &sync_file);
    if (result == VK_SUCCESS) {
        // SYNC_FD exports by copy, and leaves the semaphore as a wait would: unsignalled.
        Fd owned(sync_file);
        idle_.with([&](auto& all) { all.push_back(std::move(*done)); });
        return owned;
    }

    log::error("vkGetSemaphoreFdKHR failed (%d); waiting for this frame on the CPU", result);
    // After this the semaphore, left signalled, may be destroyed.
    result = device_.next.QueueWaitIdle(queue);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd();
}

} // namespace fencebridge::sync
