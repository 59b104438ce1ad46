// SPDX-License-Identifier: MIT
#include "sync/module_bridge.hpp"

#include <fencebridge.h>

namespace fencebridge::sync {

ModuleBridge::ModuleBridge(kernel::FencebridgeDevice device,
                           std::span<const image::SwapchainImage> images, vk::Importers importers) :
    SyncFileBridge({.export_sync_file = "FENCEBRIDGE_IOCTL_EXPORT",
                    .import_sync_file = "FENCEBRIDGE_IOCTL_IMPORT"},
                   images, importers),
    device_(std::move(device)) {}

std::expected<std::unique_ptr<Bridge>, Obstacle>
ModuleBridge::open(std::span<const image::SwapchainImage> images, vk::Importers importers) {
    auto device = kernel::FencebridgeDevice::open();
    if (!device)
        return std::unexpected(obstacle(FENCEBRIDGE_DEVICE, device.error()));
    const auto lacks = device->query();
    if (!lacks)
        return std::unexpected(obstacle("FENCEBRIDGE_IOCTL_QUERY", lacks.error()));
    if (*lacks)
        return std::unexpected(FENCEBRIDGE_DEVICE ": " + **lacks);
    std::unique_ptr<ModuleBridge> self(new ModuleBridge(std::move(*device), images, importers));
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    self->tells_idle_ = self->device_.can_tell_idle();
    return self;
}

std::expected<std::optional<Snapshot>, VkResult>
ModuleBridge::acquire(const core::ImageList& free) {
    // An export tells who is idle. Not poll(): kernels before 5.16 must not lose a dma-buf that
    // somebody has polled while a fence is pending (dma_buf_release() in
    // drivers/dma-buf/dma-buf.c).
    std::expected<Snapshot, VkResult> oldest = export_of(free[0]);
    for (size_t i = 1; oldest && oldest->fences && tells_idle_ && i < free.size(); ++i) {
        auto other = export_of(free[i]);
        if (other && !other->fences)
            return other;
    }
    return oldest;
}

std::expected<Fd, kernel::Errno> ModuleBridge::export_sync_file(const Fd& dma_buf) const {
    return device_.export_sync_file(dma_buf, tells_idle_);
}

std::expected<void, kernel::Errno> ModuleBridge::import_sync_file(const Fd& dma_buf,
                                                                  const Fd& sync_file) const {
    return device_.import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
