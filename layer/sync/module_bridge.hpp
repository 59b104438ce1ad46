// SPDX-License-Identifier: MIT
#pragma once

#include "ioctl/fencebridge_device.hpp"
#include "sync/implicit_bridge.hpp"

namespace fencebridge::sync {

/// Transport `module`: the same operations as `kernel`, by the bundled kernel module, for kernels
/// without the dma-buf's own ioctls.
class ModuleBridge final : public ImplicitBridge {
public:
    /// @param images  not empty; must outlive the bridge
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, OpenError>
    open(std::span<const image::SwapchainImage> images, vk::ImplicitFences implicit_fences);

    std::expected<std::optional<Snapshot>, VkResult> snapshot(const core::ImageList& free) override;

private:
    ModuleBridge(ioctl::FencebridgeDevice device, std::span<const image::SwapchainImage> images,
                 vk::ImplicitFences implicit_fences);

    std::expected<Fd, ioctl::Errno> export_sync_file(const Fd& dma_buf) const override;
    std::expected<void, ioctl::Errno> import_sync_file(const Fd& dma_buf,
                                                       const Fd& sync_file) const override;

    const ioctl::FencebridgeDevice device_;
    /// Whether exports return no sync_file for a dma-buf without pending fences. False during
    /// try_out(), whose import needs a sync_file.
    bool none_if_idle_ = false;
};

} // namespace fencebridge::sync
