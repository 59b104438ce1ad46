// SPDX-License-Identifier: MIT
#pragma once

#include "kernel/fencebridge_device.hpp"
#include "sync/sync_file_bridge.hpp"

namespace fencebridge::sync {

/// Transport `module`: the same operations through the bundled kernel module, for kernels that
/// lack them.
class ModuleBridge final : public SyncFileBridge {
public:
    /// @param dma_buf  a buffer to try them out on
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, Obstacle> open(const Fd& dma_buf);

private:
    explicit ModuleBridge(kernel::FencebridgeDevice device);

    std::expected<Fd, kernel::Errno> export_sync_file(const Fd& dma_buf) const override;
    std::expected<void, kernel::Errno> import_sync_file(const Fd& dma_buf,
                                                        const Fd& sync_file) const override;

    const kernel::FencebridgeDevice device_;
};

} // namespace fencebridge::sync
