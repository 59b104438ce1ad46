// SPDX-License-Identifier: MIT
#pragma once

#include "kernel/ioctl.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// What the transports `kernel` and `module` have in common: the kernel makes a sync_file of a
/// dma-buf's fences, and attaches a sync_file's to it. They differ in whom they ask.
class SyncFileBridge : public Bridge {
public:
    std::expected<Fd, VkResult> acquire(const Fd& dma_buf, const Deadline& deadline) final;
    VkResult present(const Fd& dma_buf, const Fd& rendering) final;

protected:
    /// The two operations, as log lines and reasons name them.
    struct Names {
        const char* export_sync_file;
        const char* import_sync_file;
    };
    explicit SyncFileBridge(const Names& names) : names_(names) {}

    /// Tries both on a dma-buf, by exporting its fences and importing them again.
    [[nodiscard]] std::expected<void, Obstacle> try_out(const Fd& dma_buf) const;

private:
    [[nodiscard]] virtual std::expected<Fd, kernel::Errno>
    export_sync_file(const Fd& dma_buf) const = 0;
    [[nodiscard]] virtual std::expected<void, kernel::Errno>
    import_sync_file(const Fd& dma_buf, const Fd& sync_file) const = 0;

    const Names names_;
};

/// What a failed call says about a transport that is being tried out.
[[nodiscard]] Obstacle obstacle(const char* call, kernel::Errno error);

} // namespace fencebridge::sync
