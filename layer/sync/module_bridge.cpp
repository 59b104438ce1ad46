// SPDX-License-Identifier: MIT
#include "sync/module_bridge.hpp"

#include <fencebridge.h>

namespace fencebridge::sync {

ModuleBridge::ModuleBridge(ioctl::FencebridgeDevice device,
                           std::span<const image::SwapchainImage> images,
                           vk::ImplicitFences implicit_fences) :
    ImplicitBridge({.export_sync_file = "FENCEBRIDGE_IOCTL_EXPORT",
                    .import_sync_file = "FENCEBRIDGE_IOCTL_IMPORT"},
                   images, implicit_fences),
    device_(std::move(device)) {}

std::expected<std::unique_ptr<Bridge>, OpenError>
ModuleBridge::open(std::span<const image::SwapchainImage> images,
                   vk::ImplicitFences implicit_fences) {
    auto device = ioctl::FencebridgeDevice::open();
    if (!device)
        return std::unexpected(open_error(FENCEBRIDGE_DEVICE, device.error()));
    const auto lacks = device->query();
    if (!lacks)
        return std::unexpected(open_error("FENCEBRIDGE_IOCTL_QUERY", lacks.error()));
    if (*lacks)
        return std::unexpected(FENCEBRIDGE_DEVICE ": " + **lacks);
    std::unique_ptr<ModuleBridge> self(
        new ModuleBridge(std::move(*device), images, implicit_fences));
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    self->none_if_idle_ = self->device_.has_none_if_idle();
    return self;
}

std::expected<std::optional<Snapshot>, VkResult>
ModuleBridge::snapshot(const core::ImageList& free) {
    // An export shows whether fences are pending. poll() would show it, too, but is not safe before
    // Linux 5.16: see ioctl::polling_is_safe().
    std::expected<Snapshot, VkResult> oldest = export_fences(free[0]);
    for (size_t i = 1; oldest && oldest->fences && none_if_idle_ && i < free.size(); ++i) {
        auto other = export_fences(free[i]);
        if (other && !other->fences)
            return other;
    }
    return oldest;
}

std::expected<Fd, ioctl::Errno> ModuleBridge::export_sync_file(const Fd& dma_buf) const {
    return device_.export_sync_file(dma_buf, none_if_idle_);
}

std::expected<void, ioctl::Errno> ModuleBridge::import_sync_file(const Fd& dma_buf,
                                                                 const Fd& sync_file) const {
    return device_.import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
