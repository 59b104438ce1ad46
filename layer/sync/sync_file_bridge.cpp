// SPDX-License-Identifier: MIT
#include "sync/sync_file_bridge.hpp"

#include "sync/cpu_bridge.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

Obstacle obstacle(const char* call, kernel::Errno error) {
    const std::string text = std::string(call) + ": " + kernel::text(error);
    if (kernel::means_unsupported(error))
        return text;
    log::error("%s", text.c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

std::expected<void, Obstacle> SyncFileBridge::try_out(const Fd& dma_buf) const {
    const auto exported = export_sync_file(dma_buf);
    if (!exported)
        return std::unexpected(obstacle(names_.export_sync_file, exported.error()));
    if (const auto imported = import_sync_file(dma_buf, *exported); !imported)
        return std::unexpected(obstacle(names_.import_sync_file, imported.error()));
    return {};
}

std::expected<Fd, VkResult> SyncFileBridge::acquire(const Fd& dma_buf, const Deadline&) {
    auto exported = export_sync_file(dma_buf);
    if (!exported) {
        log::error("%s: %s", names_.export_sync_file, kernel::text(exported.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return std::move(*exported);
}

VkResult SyncFileBridge::present(const Fd& dma_buf, const Fd& rendering) {
    if (!rendering)
        return VK_SUCCESS;
    const auto imported = import_sync_file(dma_buf, rendering);
    if (imported)
        return VK_SUCCESS;
    // The rendering is on its way and cannot be taken back; only its fence could be lost.
    log::error("%s: %s; waiting for this frame on the CPU", names_.import_sync_file,
               kernel::text(imported.error()).c_str());
    return CpuBridge().present(dma_buf, rendering);
}

} // namespace fencebridge::sync
