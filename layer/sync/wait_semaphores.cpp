// SPDX-License-Identifier: MIT
#include "sync/wait_semaphores.hpp"

#include <algorithm>
#include <new>

#include "ioctl/sync_file.hpp"
#include "util/log.hpp"
#include "vk/chain.hpp"

namespace fencebridge::sync {

namespace {

constexpr VkExternalSemaphoreHandleTypeFlagBits sync_fd =
    VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT;

bool is_binary(const VkSemaphoreCreateInfo& info) {
    const auto* type = vk::find<VkSemaphoreTypeCreateInfo>(info.pNext);
    return type == nullptr || type->semaphoreType == VK_SEMAPHORE_TYPE_BINARY;
}

/// A SYNC_FD export copies the payload and leaves the semaphore unsignalled, as a wait does
/// (vkGetSemaphoreFdKHR).
/// @return empty: the semaphore had signalled
std::expected<Fd, VkResult> export_semaphore(const vk::Device& device, VkSemaphore semaphore) {
    const VkSemaphoreGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
        .semaphore = semaphore,
        .handleType = sync_fd,
    };
    int fd = -1;
    const VkResult result = device.next.GetSemaphoreFdKHR(device.handle, &info, &fd);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd(fd);
}

/// A SYNC_FD export copies the payload and resets the fence (vkGetFenceFdKHR).
/// @return empty: the fence had signalled
std::expected<Fd, VkResult> export_fence(const vk::Device& device, VkFence fence) {
    const VkFenceGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
        .fence = fence,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int fd = -1;
    const VkResult result = device.next.GetFenceFdKHR(device.handle, &info, &fd);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd(fd);
}

} // namespace

VkResult WaitSemaphoreExporter::create_semaphore(const VkSemaphoreCreateInfo& info,
                                                 const VkAllocationCallbacks* allocator,
                                                 VkSemaphore* semaphore) {
    const auto create = [&](const VkSemaphoreCreateInfo& from) {
        return device_.next.CreateSemaphore(device_.handle, &from, allocator, semaphore);
    };
    if (!device_.semaphores_export_freely || !is_binary(info))
        return create(info);
    const auto* own = vk::find<VkExportSemaphoreCreateInfo>(info.pNext);
    if (own == nullptr) {
        VkExportSemaphoreCreateInfo exportable = {
            .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
            .handleTypes = sync_fd,
        };
        VkSemaphoreCreateInfo more = info;
        vk::push_next(more, exportable);
        if (create(more) == VK_SUCCESS)
            return VK_SUCCESS;
    }
    // The set's node is allocated before the semaphore is created. So the insertion below cannot
    // fail.
    std::set<VkSemaphore> noted = {VK_NULL_HANDLE};
    auto note = noted.extract(noted.begin());
    const VkResult result = create(info);
    if (result == VK_SUCCESS && (own == nullptr || !(own->handleTypes & sync_fd))) {
        note.value() = *semaphore;
        not_exportable_.with([&](auto& all) { all.insert(std::move(note)); });
    }
    return result;
}

void WaitSemaphoreExporter::forget(VkSemaphore semaphore) {
    not_exportable_.with([&](auto& all) { all.erase(semaphore); });
}

std::expected<Rendering, VkResult>
WaitSemaphoreExporter::export_waits(VkQueue queue, std::span<const VkSemaphore> waits,
                                    std::span<const VkCommandBuffer> commands) {
    const Work work = {waits, commands};
    return can_export(work) ? export_directly(queue, waits) : submit(queue, work);
}

bool WaitSemaphoreExporter::can_export(const Work& work) const {
    const auto& waits = work.waits;
    if (!device_.semaphores_export_freely || waits.empty() || !work.commands.empty())
        return false;
    return not_exportable_.with([&](const auto& all) {
        return std::ranges::none_of(waits,
                                    [&](VkSemaphore semaphore) { return all.contains(semaphore); });
    });
}

std::expected<Rendering, VkResult>
WaitSemaphoreExporter::export_directly(VkQueue queue, std::span<const VkSemaphore> waits) {
    Rendering all;
    for (size_t i = 0; i < waits.size(); ++i) {
        auto exported = export_semaphore(device_, waits[i]);
        const bool failed = !exported;
        std::expected<Rendering, VkResult> next;
        if (!failed) {
            next = Rendering(std::move(*exported));
        } else {
            if (exported.error() == VK_ERROR_DEVICE_LOST)
                return std::unexpected(exported.error());
            // This semaphore and those after it still have their signals.
            next = try_to_submit(queue, {waits.subspan(i), {}});
            // The semaphores before it do not: lack of memory would mean that they do.
            if (!next)
                return std::unexpected(i == 0 ? next.error() : VK_ERROR_DEVICE_LOST);
        }
        auto merged = merge_or_wait(std::move(all), std::move(*next));
        if (!merged)
            return merged;
        all = std::move(*merged);
        if (failed)
            break;
    }
    return all;
}

/// As submit(), but throws no std::bad_alloc: semaphores may have been consumed before the call.
std::expected<Rendering, VkResult> WaitSemaphoreExporter::try_to_submit(VkQueue queue,
                                                                        const Work& work) noexcept {
    try {
        return submit(queue, work);
    } catch (const std::bad_alloc&) {
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
}

std::expected<Rendering, VkResult> WaitSemaphoreExporter::submit(VkQueue queue, const Work& work) {
    if (device_.sync_fd.export_semaphore)
        return submit_semaphore(queue, work);
    if (device_.sync_fd.export_fence)
        return submit_fence(queue, work);
    return submit_plain_fence(queue, work);
}

VkResult WaitSemaphoreExporter::submit_to(VkQueue queue, const Work& work, VkSemaphore signal,
                                          VkFence fence) const {
    const std::vector<VkPipelineStageFlags> stages(work.waits.size(),
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkSubmitInfo submission = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = static_cast<uint32_t>(work.waits.size()),
        .pWaitSemaphores = work.waits.data(),
        .pWaitDstStageMask = stages.data(),
        .commandBufferCount = static_cast<uint32_t>(work.commands.size()),
        .pCommandBuffers = work.commands.data(),
        .signalSemaphoreCount = signal != VK_NULL_HANDLE ? 1u : 0u,
        .pSignalSemaphores = &signal,
    };
    return device_.next.QueueSubmit(queue, 1, &submission, fence);
}

/// For a submission that cannot be exported. The submission has ended when this returns.
std::expected<Rendering, VkResult> WaitSemaphoreExporter::wait_for_queue(VkQueue queue) const {
    // The submission has consumed the semaphores' signals. An out-of-memory error of
    // vkQueuePresentKHR would mean that they still have them.
    if (device_.next.QueueWaitIdle(queue) != VK_SUCCESS)
        return std::unexpected(VK_ERROR_DEVICE_LOST);
    return Rendering();
}

std::expected<Rendering, VkResult> WaitSemaphoreExporter::submit_semaphore(VkQueue queue,
                                                                           const Work& work) {
    auto done = obtain_semaphore();
    if (!done)
        return std::unexpected(done.error());
    vk::Semaphore& semaphore = **done;
    const VkResult result = submit_to(queue, work, semaphore.get(), VK_NULL_HANDLE);
    if (result != VK_SUCCESS) {
        // Nothing was submitted: the application's semaphores still have their signals.
        if (result != VK_ERROR_DEVICE_LOST)
            semaphores_.push(std::move(*done));
        return std::unexpected(result);
    }
    auto sync_file = export_semaphore(device_, semaphore.get());
    if (sync_file) {
        semaphores_.push(std::move(*done));
        return Rendering(std::move(*sync_file));
    }
    log::slow(log::Level::error,
              "vkGetSemaphoreFdKHR failed (%d); waiting on the CPU for this frame's rendering",
              sync_file.error());
    // The semaphore is left signalled, and destroyed after the wait.
    return wait_for_queue(queue);
}

std::expected<Rendering, VkResult> WaitSemaphoreExporter::submit_fence(VkQueue queue,
                                                                       const Work& work) {
    auto done = obtain_fence();
    if (!done)
        return std::unexpected(done.error());
    UsedFence& used = **done;
    const VkResult result = submit_to(queue, work, VK_NULL_HANDLE, used.fence.get());
    if (result != VK_SUCCESS) {
        if (result != VK_ERROR_DEVICE_LOST)
            fences_.push(std::move(*done));
        return std::unexpected(result);
    }
    auto sync_file = export_fence(device_, used.fence.get());
    // The export has reset the fence. The submission uses the fence until the sync_file signals.
    used.sync_file = sync_file && *sync_file ? sync_file->duplicate() : Fd();
    if (sync_file && (!*sync_file || used.sync_file)) {
        fences_.push(std::move(*done));
        return Rendering(std::move(*sync_file));
    }
    log::slow(log::Level::error,
              "vkGetFenceFdKHR, or the duplication of its result, failed (%d); waiting on the CPU "
              "for this frame's rendering",
              sync_file ? VK_ERROR_TOO_MANY_OBJECTS : sync_file.error());
    return wait_for_queue(queue);
}

/// The fence is obtained before the submission: nothing can fail after it.
std::expected<Rendering, VkResult> WaitSemaphoreExporter::submit_plain_fence(VkQueue queue,
                                                                             const Work& work) {
    auto fence = plain_fences_.obtain();
    if (!fence)
        return std::unexpected(fence.error());
    const VkResult result = submit_to(queue, work, VK_NULL_HANDLE, (*fence)->get());
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    (*fence)->mark_submitted();
    return Rendering(std::move(*fence));
}

std::expected<Pool<vk::Semaphore>::Item, VkResult> WaitSemaphoreExporter::obtain_semaphore() {
    if (auto idle = semaphores_.pop())
        return idle;
    auto made = vk::create_semaphore(device_, sync_fd);
    if (!made)
        return std::unexpected(made.error());
    return Pool<vk::Semaphore>::Item(std::move(*made));
}

std::expected<Pool<WaitSemaphoreExporter::UsedFence>::Item, VkResult>
WaitSemaphoreExporter::obtain_fence() {
    if (auto first = fences_.pop()) {
        const auto free = first->sync_file
                              ? ioctl::wait_signalled(first->sync_file, Deadline::immediate())
                              : std::expected<bool, ioctl::Errno>(true);
        if (free && *free) {
            first->sync_file = Fd();
            return first;
        }
        // Last in the pool: the other fences may be free earlier.
        fences_.push(std::move(first));
    }
    auto made = vk::create_fence(device_, VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT);
    if (!made)
        return std::unexpected(made.error());
    return Pool<UsedFence>::Item({std::move(*made), Fd()});
}

} // namespace fencebridge::sync
