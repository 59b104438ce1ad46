// SPDX-License-Identifier: MIT
#pragma once

#include "kernel/ioctl.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// What the transports `kernel` and `module` have in common: the kernel makes a sync_file of a
/// dma-buf's fences, and attaches a sync_file's to it. They differ in whom they ask, and in how
/// they find an image that is idle.
class SyncFileBridge : public Bridge {
public:
    std::expected<std::optional<core::CommitPoints>, VkResult> present(core::ImageIndex image,
                                                                       const Fd& rendering) final;

protected:
    /// The two operations, as log lines and reasons name them.
    struct Names {
        const char* export_sync_file;
        const char* import_sync_file;
    };
    SyncFileBridge(const Names& names, std::span<const image::SwapchainImage> images,
                   vk::Importers importers) :
        names_(names),
        images_(images), importers_(importers) {}

    /// Tries both on the first image, by exporting its fences and importing them again.
    [[nodiscard]] std::expected<void, Obstacle> try_out() const;

    [[nodiscard]] std::span<const image::SwapchainImage> images() const { return images_; }

    [[nodiscard]] std::expected<Snapshot, VkResult> export_of(core::ImageIndex image) const;

private:
    /// @return may be empty when the dma-buf has nothing pending
    [[nodiscard]] virtual std::expected<Fd, kernel::Errno>
    export_sync_file(const Fd& dma_buf) const = 0;
    [[nodiscard]] virtual std::expected<void, kernel::Errno>
    import_sync_file(const Fd& dma_buf, const Fd& sync_file) const = 0;

    const Names names_;
    const std::span<const image::SwapchainImage> images_;
    const vk::Importers importers_;
};

} // namespace fencebridge::sync
