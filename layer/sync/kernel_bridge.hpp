// SPDX-License-Identifier: MIT
#pragma once

#include "sync/implicit_bridge.hpp"

namespace fencebridge::sync {

/// Transport `kernel`: the dma-buf's own ioctls (Linux 6.0), which need no module.
class KernelBridge final : public ImplicitBridge {
public:
    /// @param images  not empty; must outlive the bridge
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, OpenError>
    open(std::span<const image::SwapchainImage> images, vk::ImplicitFences implicit_fences);

    std::expected<std::optional<Snapshot>, VkResult> snapshot(const core::ImageList& free) override;

private:
    KernelBridge(std::span<const image::SwapchainImage> images, vk::ImplicitFences implicit_fences);

    std::expected<Fd, ioctl::Errno> export_sync_file(const Fd& dma_buf) const override;
    std::expected<void, ioctl::Errno> import_sync_file(const Fd& dma_buf,
                                                       const Fd& sync_file) const override;

    /// Whether snapshot() polls for an image without pending fences before it exports.
    const bool polls_first_;
};

} // namespace fencebridge::sync
