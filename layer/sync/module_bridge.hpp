// SPDX-License-Identifier: MIT
#pragma once

#include "kernel/fencebridge_device.hpp"
#include "sync/sync_file_bridge.hpp"

namespace fencebridge::sync {

/// Transport `module`: the same operations through the bundled kernel module, for kernels that
/// lack them.
class ModuleBridge final : public SyncFileBridge {
public:
    /// @param images  not empty; must outlive the bridge
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, Obstacle>
    open(std::span<const image::SwapchainImage> images, vk::Importers importers);

    std::expected<std::optional<Snapshot>, VkResult> acquire(const core::ImageList& free) override;

private:
    ModuleBridge(kernel::FencebridgeDevice device, std::span<const image::SwapchainImage> images,
                 vk::Importers importers);

    std::expected<Fd, kernel::Errno> export_sync_file(const Fd& dma_buf) const override;
    std::expected<void, kernel::Errno> import_sync_file(const Fd& dma_buf,
                                                        const Fd& sync_file) const override;

    const kernel::FencebridgeDevice device_;
    bool tells_idle_ = false; ///< not before there was a sync_file to try an import with
};

} // namespace fencebridge::sync
