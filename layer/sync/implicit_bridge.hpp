// SPDX-License-Identifier: MIT
#pragma once

#include "ioctl/ioctl.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// What the transports `kernel` and `module` share. Fences travel with the dma-bufs: one operation
/// exports a dma-buf's fences as a sync_file, another attaches a sync_file's fences to it. The
/// transports differ in the ioctls for that, and in how they find an image without pending fences.
class ImplicitBridge : public Bridge {
public:
    std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex image, const Rendering& rendering) final;

protected:
    /// The names of the two operations, for log lines and reasons.
    struct Names {
        const char* export_sync_file;
        const char* import_sync_file;
    };
    ImplicitBridge(const Names& names, std::span<const image::SwapchainImage> images,
                   vk::ImplicitFences implicit_fences) :
        names_(names),
        images_(images), implicit_fences_(implicit_fences) {}

    /// Tries both operations: exports the fences of the first image and imports them again.
    [[nodiscard]] std::expected<void, OpenError> try_out() const;

    [[nodiscard]] std::span<const image::SwapchainImage> images() const { return images_; }

    [[nodiscard]] std::expected<Snapshot, VkResult> export_fences(core::ImageIndex image) const;

private:
    /// @return may be empty when the dma-buf has no pending fence
    [[nodiscard]] virtual std::expected<Fd, ioctl::Errno>
    export_sync_file(const Fd& dma_buf) const = 0;
    [[nodiscard]] virtual std::expected<void, ioctl::Errno>
    import_sync_file(const Fd& dma_buf, const Fd& sync_file) const = 0;

    const Names names_;
    const std::span<const image::SwapchainImage> images_;
    const vk::ImplicitFences implicit_fences_;
};

} // namespace fencebridge::sync
