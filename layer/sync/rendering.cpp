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
    const VkResult result = create(info);
    if (result == VK_SUCCESS && (own == nullptr || !(own->handleTypes & sync_fd))) {
        opaque_.with([&](auto& all) { all.insert(*semaphore); });
        ++opaque_count_;
    }
    return result;
}

void RenderingExporter::forget(VkSemaphore semaphore) {
    if (opaque_count_ == 0)
        return;
    if (opaque_.with([&](auto& all) { return all.erase(semaphore); }) != 0)
        --opaque_count_;
}

std::expected<Fd, VkResult> RenderingExporter::take(VkQueue queue,
                                                    std::span<const VkSemaphore> waits) {
    return can_export(waits) ? export_directly(queue, waits) : submit(queue, waits);
}

bool RenderingExporter::can_export(std::span<const VkSemaphore> waits) const {
    if (!device_.semaphores_export_freely || waits.empty())
        return false;
    return opaque_count_ == 0 || opaque_.with([&](const auto& all) {
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
    return submit_fence(queue, waits);
}

VkResult RenderingExporter::submit_to(VkQueue queue, std::span<const VkSemaphore> waits,
                                      VkSemaphore signal, VkFence fence) {
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

std::expected<Fd, VkResult>
RenderingExporter::submit_semaphore(VkQueue queue, std::span<const VkSemaphore> waits) {
    auto done = take_semaphore();
    if (!done)
        return std::unexpected(done.error());
    VkResult result = submit_to(queue, waits, done->get(), VK_NULL_HANDLE);
    if (result != VK_SUCCESS) {
        // Nothing was submitted and the application's semaphores are as they were.
        if (result != VK_ERROR_DEVICE_LOST)
            semaphores_.with([&](auto& all) { all.push_back(std::move(*done)); });
        return std::unexpected(result);
    }
    auto sync_file = export_semaphore(device_, done->get());
    if (sync_file) {
        semaphores_.with([&](auto& all) { all.push_back(std::move(*done)); });
        return sync_file;
    }
    log::error("vkGetSemaphoreFdKHR failed (%d); waiting for this frame on the CPU",
               sync_file.error());
    // After this the semaphore, left signalled, may be destroyed.
    result = device_.next.QueueWaitIdle(queue);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    return Fd();
}

std::expected<Fd, VkResult> RenderingExporter::submit_fence(VkQueue queue,
                                                            std::span<const VkSemaphore> waits) {
    auto done = take_fence();
    if (!done)
        return std::unexpected(done.error());
    VkFence fence = done->get();
    VkResult result = submit_to(queue, waits, VK_NULL_HANDLE, fence);
    if (result != VK_SUCCESS) {
        if (result != VK_ERROR_DEVICE_LOST)
            fences_.with([&](auto& all) { all.push_back({std::move(*done), Fd()}); });
        return std::unexpected(result);
    }
    if (device_.sync_fd.export_fence) {
        const VkFenceGetFdInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
            .fence = fence,
            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        int fd = -1;
        result = device_.next.GetFenceFdKHR(device_.handle, &info, &fd);
        if (result == VK_SUCCESS) {
            // Exported, it is unsignalled again; the submission still has it until it is done.
            Fd sync_file(fd);
            Fd tells_when_free = sync_file ? sync_file.duplicate() : Fd();
            if (!sync_file || tells_when_free) {
                fences_.with([&](auto& all) {
                    all.push_back({std::move(*done), std::move(tells_when_free)});
                });
                return sync_file;
            }
            result = VK_ERROR_TOO_MANY_OBJECTS;
        }
        log::error("vkGetFenceFdKHR failed (%d); waiting for this frame on the CPU", result);
        result = device_.next.QueueWaitIdle(queue);
        if (result != VK_SUCCESS)
            return std::unexpected(result);
        return Fd();
    }
    result = device_.next.WaitForFences(device_.handle, 1, &fence, VK_TRUE, UINT64_MAX);
    if (result == VK_SUCCESS)
        result = device_.next.ResetFences(device_.handle, 1, &fence);
    if (result != VK_SUCCESS)
        return std::unexpected(result);
    fences_.with([&](auto& all) { all.push_back({std::move(*done), Fd()}); });
    return Fd();
}

std::expected<vk::Semaphore, VkResult> RenderingExporter::take_semaphore() {
    auto idle = semaphores_.with([](std::vector<vk::Semaphore>& all) {
        vk::Semaphore semaphore;
        if (!all.empty()) {
            semaphore = std::move(all.back());
            all.pop_back();
        }
        return semaphore;
    });
    if (idle.get() != VK_NULL_HANDLE)
        return idle;
    return vk::create_semaphore(device_, sync_fd);
}

std::expected<vk::Fence, VkResult> RenderingExporter::take_fence() {
    // The one that was used first is the likeliest to be free.
    auto first = fences_.with([](std::vector<UsedFence>& all) {
        UsedFence used;
        if (!all.empty()) {
            used = std::move(all.front());
            all.erase(all.begin());
        }
        return used;
    });
    if (first.fence.get() != VK_NULL_HANDLE) {
        const auto free = first.sync_file
                              ? kernel::wait_signalled(first.sync_file, Deadline::passed())
                              : std::expected<bool, kernel::Errno>(true);
        if (free && *free)
            return std::move(first.fence);
        fences_.with([&](auto& all) { all.insert(all.begin(), std::move(first)); });
    }
    VkExternalFenceHandleTypeFlags exports = 0;
    if (device_.sync_fd.export_fence)
        exports |= VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT;
    return vk::create_fence(device_, exports);
}

} // namespace fencebridge::sync
