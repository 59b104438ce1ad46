// SPDX-License-Identifier: MIT
#pragma once

#include "sync/sync_file_bridge.hpp"

namespace fencebridge::sync {

/// Transport `kernel`: the dma-buf's own sync_file ioctls, Linux 6.0.
class KernelBridge final : public SyncFileBridge {
public:
    /// @param images  not empty; must outlive the bridge
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, Obstacle>
    open(std::span<const image::SwapchainImage> images, vk::Importers importers);

    std::expected<std::optional<Snapshot>, VkResult> acquire(const core::ImageList& free) override;

private:
    const bool looks_; ///< for an idle image, before it exports
    KernelBridge(std::span<const image::SwapchainImage> images, vk::Importers importers);

    std::expected<Fd, kernel::Errno> export_sync_file(const Fd& dma_buf) const override;
    std::expected<void, kernel::Errno> import_sync_file(const Fd& dma_buf,
                                                        const Fd& sync_file) const override;
};

} // namespace fencebridge::sync
