// SPDX-License-Identifier: MIT
// Semaphores and fences, and their exchange with sync_files.
#include <algorithm>

#include "chain.hpp"
#include "entry_points.hpp"
#include "execution.hpp"
#include "sync_state.hpp"

namespace fencebridge::fake_driver {
namespace {

const DeviceSettings settings_of(const Device& device) {
    return current_device_settings(device.physical_device->index);
}

VkResult create_semaphore(VkDevice handle, const VkSemaphoreCreateInfo* info,
                          const VkAllocationCallbacks*, VkSemaphore* result) {
    if (const auto failure = enter("vkCreateSemaphore"))
        return *failure;
    const auto* const type = find_in<VkSemaphoreTypeCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    if (type != nullptr && type->semaphoreType != VK_SEMAPHORE_TYPE_BINARY) {
        misuse("vkCreateSemaphore: this driver has binary semaphores only");
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const auto* const exported = find_in<VkExportSemaphoreCreateInfo>(
        info->pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO);
    Semaphore semaphore;
    semaphore.device = from_handle<Device>(handle);
    semaphore.exportable =
        exported != nullptr &&
        (exported->handleTypes & VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT) != 0;
    if (semaphore.exportable && (settings_of(*semaphore.device).semaphore_features &
                                 VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT) == 0) {
        misuse("vkCreateSemaphore: for the export of a sync_file, which the driver cannot do");
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    *result = objects().semaphores.add(std::move(semaphore));
    return VK_SUCCESS;
}

void destroy_semaphore(VkDevice, VkSemaphore handle, const VkAllocationCallbacks*) {
    note("vkDestroySemaphore");
    const auto semaphore = objects().semaphores.remove(handle);
    const std::lock_guard lock{payload_mutex()};
    if (semaphore != nullptr && !semaphore->last_use.signalled())
        misuse("vkDestroySemaphore: a batch that uses it has not finished");
}

VkResult create_fence(VkDevice handle, const VkFenceCreateInfo* info, const VkAllocationCallbacks*,
                      VkFence* result) {
    if (const auto failure = enter("vkCreateFence"))
        return *failure;
    const auto* const exported =
        find_in<VkExportFenceCreateInfo>(info->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
    Fence fence;
    fence.device = from_handle<Device>(handle);
    fence.exportable = exported != nullptr &&
                       (exported->handleTypes & VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT) != 0;
    if (fence.exportable && (settings_of(*fence.device).fence_features &
                             VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT) == 0) {
        misuse("vkCreateFence: for the export of a sync_file, which the driver cannot do");
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    if ((info->flags & VK_FENCE_CREATE_SIGNALED_BIT) != 0)
        fence.permanent = Payload{};
    *result = objects().fences.add(std::move(fence));
    return VK_SUCCESS;
}

void destroy_fence(VkDevice, VkFence handle, const VkAllocationCallbacks*) {
    note("vkDestroyFence");
    const auto fence = objects().fences.remove(handle);
    const std::lock_guard lock{payload_mutex()};
    if (fence != nullptr && !fence->last_use.signalled())
        misuse("vkDestroyFence: a batch that signals it has not finished");
}

VkResult reset_fences(VkDevice, uint32_t count, const VkFence* handles) {
    if (const auto failure = enter("vkResetFences"))
        return *failure;
    for (const VkFence handle : std::span{handles, count}) {
        const auto fence = objects().fences.find(handle);
        if (fence == nullptr)
            continue;
        const std::lock_guard lock{payload_mutex()};
        if (!fence->last_use.signalled())
            misuse("vkResetFences: a batch that signals it has not finished");
        fence->temporary.reset();
        fence->permanent.reset();
    }
    return VK_SUCCESS;
}

std::optional<Payload> payload_of(Fence& fence) {
    const std::lock_guard lock{payload_mutex()};
    return fence.current();
}

VkResult get_fence_status(VkDevice, VkFence handle) {
    if (const auto failure = enter_query("vkGetFenceStatus"))
        return *failure;
    const auto fence = objects().fences.find(handle);
    if (fence == nullptr)
        return VK_ERROR_DEVICE_LOST;
    const auto payload = payload_of(*fence);
    return payload && payload->signalled() ? VK_SUCCESS : VK_NOT_READY;
}

/// How often a wait checks a fence that no batch signals yet. Another thread may submit the fence
/// at any time, and there is no descriptor to wait for until then.
constexpr std::chrono::milliseconds unsubmitted_slice{2};

bool wait_slice(const std::vector<std::shared_ptr<Leaf>>& leaves, bool unsubmitted,
                const Deadline& deadline) {
    if (!unsubmitted)
        return wait_for_any(leaves, deadline);
    const auto slice = std::chrono::steady_clock::now() + unsubmitted_slice;
    (void)wait_for_any(leaves, deadline ? std::min(*deadline, slice) : slice);
    return !deadline || std::chrono::steady_clock::now() < *deadline;
}

VkResult wait_for_fences(VkDevice, uint32_t count, const VkFence* handles, VkBool32 all,
                         uint64_t timeout) {
    if (const auto failure = enter("vkWaitForFences"))
        return *failure;
    const Deadline deadline = deadline_after(timeout);
    for (bool in_time = true;;) {
        std::vector<std::shared_ptr<Leaf>> leaves;
        bool unsubmitted = false;
        uint32_t signalled = 0;
        for (const VkFence handle : std::span{handles, count}) {
            const auto fence = objects().fences.find(handle);
            if (fence == nullptr)
                return VK_ERROR_DEVICE_LOST;
            const auto payload = payload_of(*fence);
            const auto pending =
                payload ? payload->pending() : std::vector<std::shared_ptr<Leaf>>{};
            unsubmitted = unsubmitted || !payload;
            signalled += payload && pending.empty() ? 1 : 0;
            // One leaf of each fence suffices: the fence signals only when all its leaves have.
            if (!pending.empty())
                leaves.push_back(pending.front());
        }
        if (signalled == count || (all == VK_FALSE && signalled > 0)) {
            // Joins the threads, so that a race detector sees what came first.
            sweep_executions();
            return VK_SUCCESS;
        }
        if (!in_time)
            return VK_TIMEOUT;
        in_time = wait_slice(leaves, unsubmitted, deadline);
    }
}

/// A sync_file is imported with copy transference into a temporary payload. The driver then owns
/// the descriptor.
VkResult import_payload(SyncObject& object, bool may_import, bool temporary, int fd) {
    if (!may_import || !temporary) {
        misuse("import of a sync_file without the flag TEMPORARY or the feature IMPORTABLE");
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    }
    if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    const std::lock_guard lock{payload_mutex()};
    if (!object.last_use.signalled())
        misuse("import into an object that a batch still uses");
    object.temporary = Payload::from_sync_fd(fd);
    if (fd >= 0)
        with_state([](State& state) { ++state.imported_sync_fds; });
    return VK_SUCCESS;
}

VkResult import_semaphore(VkDevice handle, const VkImportSemaphoreFdInfoKHR* info) {
    if (const auto failure = enter("vkImportSemaphoreFdKHR"))
        return *failure;
    const auto semaphore = objects().semaphores.find(info->semaphore);
    if (semaphore == nullptr)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    const bool may_import = info->handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT &&
                            (settings_of(*from_handle<Device>(handle)).semaphore_features &
                             VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT) != 0;
    return import_payload(*semaphore, may_import,
                          (info->flags & VK_SEMAPHORE_IMPORT_TEMPORARY_BIT) != 0, info->fd);
}

VkResult import_fence(VkDevice handle, const VkImportFenceFdInfoKHR* info) {
    if (const auto failure = enter("vkImportFenceFdKHR"))
        return *failure;
    const auto fence = objects().fences.find(info->fence);
    if (fence == nullptr)
        return VK_ERROR_INVALID_EXTERNAL_HANDLE;
    const bool may_import = info->handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT &&
                            (settings_of(*from_handle<Device>(handle)).fence_features &
                             VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT) != 0;
    return import_payload(*fence, may_import, (info->flags & VK_FENCE_IMPORT_TEMPORARY_BIT) != 0,
                          info->fd);
}

/// An export with copy transference has the side effects of a wait: it resets the current payload.
/// If that was temporary, the permanent payload is the current one again.
VkResult export_payload(SyncObject& object, bool may_export, int& fd) {
    const Settings settings = current_settings();
    const std::lock_guard lock{payload_mutex()};
    std::optional<Payload>& payload = object.current();
    if (!may_export || !payload) {
        misuse(!may_export
                   ? "export of a sync_file without VkExport...CreateInfo or the feature EXPORTABLE"
                   : "export of a sync_file that nothing signals");
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const auto exported =
        payload->to_sync_fd(settings.sync, settings.export_signalled_as_minus_one);
    if (!exported)
        return VK_ERROR_TOO_MANY_OBJECTS;
    fd = *exported;
    payload.reset();
    if (fd >= 0)
        with_state([](State& state) { ++state.exported_sync_fds; });
    return VK_SUCCESS;
}

VkResult get_semaphore_fd(VkDevice handle, const VkSemaphoreGetFdInfoKHR* info, int* fd) {
    if (const auto failure = enter("vkGetSemaphoreFdKHR"))
        return *failure;
    const auto semaphore = objects().semaphores.find(info->semaphore);
    if (semaphore == nullptr)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    if (semaphore->temporary &&
        !settings_of(*from_handle<Device>(handle)).exports_imported_semaphores)
        misuse("vkGetSemaphoreFdKHR: its payload was imported");
    const bool may_export = semaphore->exportable &&
                            info->handleType == VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT &&
                            (settings_of(*from_handle<Device>(handle)).semaphore_features &
                             VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT) != 0;
    return export_payload(*semaphore, may_export, *fd);
}

VkResult get_fence_fd(VkDevice handle, const VkFenceGetFdInfoKHR* info, int* fd) {
    if (const auto failure = enter("vkGetFenceFdKHR"))
        return *failure;
    const auto fence = objects().fences.find(info->fence);
    if (fence == nullptr)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    const bool may_export = fence->exportable &&
                            info->handleType == VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT &&
                            (settings_of(*from_handle<Device>(handle)).fence_features &
                             VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT) != 0;
    return export_payload(*fence, may_export, *fd);
}

} // namespace

std::span<const EntryPoint> sync_entry_points() {
    constexpr auto level = Level::device;
    constexpr auto semaphore_fd = VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME;
    constexpr auto fence_fd = VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME;
    static const EntryPoint table[]{
        entry_point<PFN_vkCreateSemaphore, create_semaphore>("vkCreateSemaphore", level),
        entry_point<PFN_vkDestroySemaphore, destroy_semaphore>("vkDestroySemaphore", level),
        entry_point<PFN_vkCreateFence, create_fence>("vkCreateFence", level),
        entry_point<PFN_vkDestroyFence, destroy_fence>("vkDestroyFence", level),
        entry_point<PFN_vkResetFences, reset_fences>("vkResetFences", level),
        entry_point<PFN_vkGetFenceStatus, get_fence_status>("vkGetFenceStatus", level),
        entry_point<PFN_vkWaitForFences, wait_for_fences>("vkWaitForFences", level),
        entry_point<PFN_vkImportSemaphoreFdKHR, import_semaphore>("vkImportSemaphoreFdKHR", level,
                                                                  never_core, semaphore_fd),
        entry_point<PFN_vkGetSemaphoreFdKHR, get_semaphore_fd>("vkGetSemaphoreFdKHR", level,
                                                               never_core, semaphore_fd),
        entry_point<PFN_vkImportFenceFdKHR, import_fence>("vkImportFenceFdKHR", level, never_core,
                                                          fence_fd),
        entry_point<PFN_vkGetFenceFdKHR, get_fence_fd>("vkGetFenceFdKHR", level, never_core,
                                                       fence_fd),
    };
    return table;
}

} // namespace fencebridge::fake_driver
