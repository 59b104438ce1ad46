// SPDX-License-Identifier: MIT
#include "sync/kernel_bridge.hpp"

#include "kernel/dma_buf.hpp"

namespace fencebridge::sync {

KernelBridge::KernelBridge() :
    SyncFileBridge({.export_sync_file = "EXPORT_SYNC_FILE on a dma-buf",
                    .import_sync_file = "IMPORT_SYNC_FILE on a dma-buf"}) {}

std::expected<std::unique_ptr<Bridge>, Obstacle> KernelBridge::open(const Fd& dma_buf) {
    std::unique_ptr<KernelBridge> self(new KernelBridge);
    if (auto works = self->try_out(dma_buf); !works)
        return std::unexpected(std::move(works.error()));
    return self;
}

std::expected<Fd, kernel::Errno> KernelBridge::export_sync_file(const Fd& dma_buf) const {
    return kernel::export_sync_file(dma_buf);
}

std::expected<void, kernel::Errno> KernelBridge::import_sync_file(const Fd& dma_buf,
                                                                  const Fd& sync_file) const {
    return kernel::import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
