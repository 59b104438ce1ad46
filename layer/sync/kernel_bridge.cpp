// SPDX-License-Identifier: MIT
#include "sync/kernel_bridge.hpp"

#include <cstring>

#include "kernel/dma_buf.hpp"
#include "sync/cpu_bridge.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

namespace {

const char* text(kernel::Errno error) { return ::strerrordesc_np(static_cast<int>(error)); }

} // namespace

std::expected<std::optional<std::string>, VkResult> KernelBridge::probe(const Fd& dma_buf) {
    const auto lacks =
        [](const char* ioctl,
           kernel::Errno error) -> std::expected<std::optional<std::string>, VkResult> {
        if (!kernel::means_unsupported(error)) {
            log::error("%s: %s", ioctl, text(error));
            return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
        }
        return std::string(ioctl) + " on a dma-buf: " + text(error);
    };
    const auto exported = kernel::export_sync_file(dma_buf);
    if (!exported)
        return lacks("EXPORT_SYNC_FILE", exported.error());
    if (const auto imported = kernel::import_sync_file(dma_buf, *exported); !imported)
        return lacks("IMPORT_SYNC_FILE", imported.error());
    return std::nullopt;
}

std::expected<Fd, VkResult> KernelBridge::acquire(const Fd& dma_buf, const Deadline&) {
    auto exported = kernel::export_sync_file(dma_buf);
    if (!exported) {
        log::error("EXPORT_SYNC_FILE: %s", text(exported.error()));
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    return std::move(*exported);
}

VkResult KernelBridge::present(const Fd& dma_buf, const Fd& rendering) {
    if (!rendering)
        return VK_SUCCESS;
    const auto imported = kernel::import_sync_file(dma_buf, rendering);
    if (imported)
        return VK_SUCCESS;
    // The rendering is on its way and cannot be taken back; only its fence could be lost.
    log::error("IMPORT_SYNC_FILE: %s; waiting for this frame on the CPU", text(imported.error()));
    return CpuBridge().present(dma_buf, rendering);
}

} // namespace fencebridge::sync
