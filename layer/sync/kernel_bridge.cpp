// SPDX-License-Identifier: MIT
#include "sync/kernel_bridge.hpp"

#include <array>

#include "core/surface_limits.hpp"
#include "kernel/dma_buf.hpp"
#include "sync/dma_bufs.hpp"

namespace fencebridge::sync {

KernelBridge::KernelBridge(std::span<const image::SwapchainImage> images, vk::Importers importers) :
    SyncFileBridge({.export_sync_file = "EXPORT_SYNC_FILE on a dma-buf",
                    .import_sync_file = "IMPORT_SYNC_FILE on a dma-buf"},
                   images, importers),
    looks_(kernel::looking_is_safe()) {}

std::expected<std::unique_ptr<Bridge>, Obstacle>
KernelBridge::open(std::span<const image::SwapchainImage> images, vk::Importers importers) {
    std::unique_ptr<KernelBridge> self(new KernelBridge(images, importers));
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    return self;
}

std::expected<std::optional<Snapshot>, VkResult>
KernelBridge::acquire(const core::ImageList& free) {
    if (looks_) {
        // One poll() for all of them costs no more than an export, and makes nothing that has to be
        // imported and closed again.
        std::array<pollfd, core::max_images> busy;
        const auto idle = find_idle(images(), free, std::span(busy).first(free.size()));
        if (!idle)
            return std::unexpected(idle.error());
        if (*idle)
            return Snapshot{**idle, Fd()};
    }
    return export_of(free[0]);
}

std::expected<Fd, kernel::Errno> KernelBridge::export_sync_file(const Fd& dma_buf) const {
    return kernel::export_sync_file(dma_buf);
}

std::expected<void, kernel::Errno> KernelBridge::import_sync_file(const Fd& dma_buf,
                                                                  const Fd& sync_file) const {
    return kernel::import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
