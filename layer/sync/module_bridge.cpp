// SPDX-License-Identifier: MIT
#include "sync/module_bridge.hpp"

#include <fencebridge.h>

namespace fencebridge::sync {

ModuleBridge::ModuleBridge(kernel::FencebridgeDevice device,
                           std::span<const image::SwapchainImage> images) :
    SyncFileBridge({.export_sync_file = "FENCEBRIDGE_IOCTL_EXPORT",
                    .import_sync_file = "FENCEBRIDGE_IOCTL_IMPORT"},
                   images),
    device_(std::move(device)) {}

std::expected<std::unique_ptr<Bridge>, Obstacle>
ModuleBridge::open(std::span<const image::SwapchainImage> images) {
    auto device = kernel::FencebridgeDevice::open();
    if (!device)
        return std::unexpected(obstacle(FENCEBRIDGE_DEVICE, device.error()));
    const auto lacks = device->find_lack();
    if (!lacks)
        return std::unexpected(obstacle("FENCEBRIDGE_IOCTL_QUERY", lacks.error()));
    if (*lacks)
        return std::unexpected(FENCEBRIDGE_DEVICE ": " + **lacks);
    std::unique_ptr<ModuleBridge> self(new ModuleBridge(std::move(*device), images));
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    self->tells_idle_ = self->device_.can_tell_idle();
    return self;
}

std::expected<Fd, kernel::Errno> ModuleBridge::export_sync_file(const Fd& dma_buf) const {
    return device_.export_sync_file(dma_buf, tells_idle_);
}

std::expected<void, kernel::Errno> ModuleBridge::import_sync_file(const Fd& dma_buf,
                                                                  const Fd& sync_file) const {
    return device_.import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
