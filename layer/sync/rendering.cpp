// SPDX-License-Identifier: MIT
#include "sync/rendering.hpp"

#include <algorithm>

#include "kernel/sync_file.hpp"
#include "sync/cpu_bridge.hpp"
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

/// SYNC_FD exports by copy, and leaves the semaphore as a wait would: unsignalled
/// (vkGetSemaphoreFdKHR). Empty: it had signalled.
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

/// SYNC_FD exports by copy, and resets the fence (vkGetFenceFdKHR). Empty: it had signalled.
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

/// What is left to wait for of two renderings. Where they cannot be joined, for one of them here.
std::expected<Fd, VkResult> join(Fd one, Fd other) {
    if (!one)
        return other;
    if (!other)
        return one;
    auto both = kernel::merge(one, other);
    if (both)
        return std::move(*both);
    log::error("SYNC_IOC_MERGE: %s; waiting for this frame on the CPU",
               kernel::text(both.error()).c_str());
    if (const VkResult result = wait_for(other); result != VK_SUCCESS)
        return std::unexpected(result);
    return one;
}

} // namespace

VkResult RenderingExporter::create_semaphore(const VkSemaphoreCreateInfo& info,
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
        vk::chain(more, exportable);
        if (create(more) == VK_SUCCESS)
            return VK_SUCCESS;
    }
    // Noted in memory that is there before the semaphore is.
    std::set<VkSemaphore> noted = {VK_NULL_HANDLE};
    auto note = noted.extract(noted.begin());
    const VkResult result = create(info);
    if (result == VK_SUCCESS && (own == nullptr || !(own->handleTypes & sync_fd))) {
        note.value() = *semaphore;
        opaque_.with([&](auto& all) { all.insert(std::move(note)); });
    }
    return result;
}

void RenderingExporter::forget(VkSemaphore semaphore) {
    opaque_.with([&](auto& all) { all.erase(semaphore); });
}

std::expected<Fd, VkResult> RenderingExporter::take(VkQueue queue,
                                                    std::span<const VkSemaphore> waits) {
    return can_export(waits) ? export_directly(queue, waits) : submit(queue, waits);
}

bool RenderingExporter::can_export(std::span<const VkSemaphore> waits) const {
    if (!device_.semaphores_export_freely || waits.empty())
        return false;
    return opaque_.with([&](const auto& all) {
        return std::ranges::none_of(waits,
                                    [&](VkSemaphore semaphore) { return all.contains(semaphore); });
    });
}

std::expected<Fd, VkResult> RenderingExporter::export_directly(VkQueue queue,
                                                               std::span<const VkSemaphore> waits) {
    Fd all;
    for (size_t i = 0; i < waits.size(); ++i) {
        auto exported = export_semaphore(device_, waits[i]);
        const bool failed = !exported;
        if (failed) {
            if (exported.error() == VK_ERROR_DEVICE_LOST)
                return exported;
            // This one and those after it still have their signals.
            exported = submit(queue, waits.subspan(i));
            if (!exported)
                return exported;
        }
        auto joined = join(std::move(all), std::move(*exported));
        if (!joined)
            return joined;
        all = std::move(*joined);
        if (failed)
            break;
    }
    return all;
}

std::expected<Fd, VkResult> RenderingExporter::submit(VkQueue queue,
                                                      std::span<const VkSemaphore> waits) {
    if (device_.sync_fd.export_semaphore)
        return submit_semaphore(queue, waits);
    if (device_.sync_fd.export_fence)
        return submit_fence(queue, waits);
    const VkResult result = submit_to(queue, waits, VK_NULL_HANDLE, VK_NULL_HANDLE);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return wait_for_queue(queue);
}

VkResult RenderingExporter::submit_to(VkQueue queue, std::span<const VkSemaphore> waits,
                                      VkSemaphore signal, VkFence fence) const {
    const std::vector<VkPipelineStageFlags> stages(waits.size(),
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkSubmitInfo submission = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = static_cast<uint32_t>(waits.size()),
        .pWaitSemaphores = waits.data(),
        .pWaitDstStageMask = stages.data(),
        .signalSemaphoreCount = signal != VK_NULL_HANDLE ? 1u : 0u,
        .pSignalSemaphores = &signal,
    };
    return device_.next.QueueSubmit(queue, 1, &submission, fence);
}

/// What was submitted cannot be exported; it is over when this returns.
std::expected<Fd, VkResult> RenderingExporter::wait_for_queue(VkQueue queue) const {
    const VkResult result = device_.next.QueueWaitIdle(queue);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd();
}

std::expected<Fd, VkResult>
RenderingExporter::submit_semaphore(VkQueue queue, std::span<const VkSemaphore> waits) {
    auto done = take_semaphore();
    if (!done)
        return std::unexpected(done.error());
    vk::Semaphore& semaphore = **done;
    const VkResult result = submit_to(queue, waits, semaphore.get(), VK_NULL_HANDLE);
    if (result != VK_SUCCESS) {
        // Nothing was submitted and the application's semaphores are as they were.
        if (result != VK_ERROR_DEVICE_LOST)
            semaphores_.put(std::move(*done));
        return std::unexpected(result);
    }
    auto sync_file = export_semaphore(device_, semaphore.get());
    if (sync_file) {
        semaphores_.put(std::move(*done));
        return sync_file;
    }
    log::error("vkGetSemaphoreFdKHR failed (%d); waiting for this frame on the CPU",
               sync_file.error());
    // After this the semaphore, left signalled, may be destroyed.
    return wait_for_queue(queue);
}

std::expected<Fd, VkResult> RenderingExporter::submit_fence(VkQueue queue,
                                                            std::span<const VkSemaphore> waits) {
    auto done = take_fence();
    if (!done)
        return std::unexpected(done.error());
    UsedFence& used = **done;
    const VkResult result = submit_to(queue, waits, VK_NULL_HANDLE, used.fence.get());
    if (result != VK_SUCCESS) {
        if (result != VK_ERROR_DEVICE_LOST)
            fences_.put(std::move(*done));
        return std::unexpected(result);
    }
    auto sync_file = export_fence(device_, used.fence.get());
    // Exported, the fence is unsignalled again; the submission still has it until that is done.
    used.sync_file = sync_file && *sync_file ? sync_file->duplicate() : Fd();
    if (sync_file && (!*sync_file || used.sync_file)) {
        fences_.put(std::move(*done));
        return sync_file;
    }
    log::error("vkGetFenceFdKHR, or a descriptor of its result, failed (%d); waiting for this "
               "frame on the CPU",
               sync_file ? VK_ERROR_TOO_MANY_OBJECTS : sync_file.error());
    return wait_for_queue(queue);
}

std::expected<Pool<vk::Semaphore>::Item, VkResult> RenderingExporter::take_semaphore() {
    if (auto idle = semaphores_.take())
        return idle;
    auto made = vk::create_semaphore(device_, sync_fd);
    if (!made)
        return std::unexpected(made.error());
    return Pool<vk::Semaphore>::Item(std::move(*made));
}

std::expected<Pool<RenderingExporter::UsedFence>::Item, VkResult> RenderingExporter::take_fence() {
    if (auto first = fences_.take()) {
        const auto free = first->sync_file
                              ? kernel::wait_signalled(first->sync_file, Deadline::passed())
                              : std::expected<bool, kernel::Errno>(true);
        if (free && *free) {
            first->sync_file = Fd();
            return first;
        }
        // Behind the others, which may be free when this is not for long.
        fences_.put(std::move(first));
    }
    auto made = vk::create_fence(device_, VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT);
    if (!made)
        return std::unexpected(made.error());
    return Pool<UsedFence>::Item({std::move(*made), Fd()});
}

} // namespace fencebridge::sync
