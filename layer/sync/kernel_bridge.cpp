// SPDX-License-Identifier: MIT
#include "sync/kernel_bridge.hpp"

#include <array>

#include "core/surface_limits.hpp"
#include "ioctl/dma_buf.hpp"
#include "sync/fence_poll.hpp"

namespace fencebridge::sync {

KernelBridge::KernelBridge(std::span<const image::SwapchainImage> images,
                           vk::ImplicitFences implicit_fences) :
    ImplicitBridge({.export_sync_file = "EXPORT_SYNC_FILE on a dma-buf",
                    .import_sync_file = "IMPORT_SYNC_FILE on a dma-buf"},
                   images, implicit_fences),
    polls_first_(ioctl::polling_is_safe()) {}

std::expected<std::unique_ptr<Bridge>, OpenError>
KernelBridge::open(std::span<const image::SwapchainImage> images,
                   vk::ImplicitFences implicit_fences) {
    std::unique_ptr<KernelBridge> self(new KernelBridge(images, implicit_fences));
    if (auto works = self->try_out(); !works)
        return std::unexpected(std::move(works.error()));
    return self;
}

std::expected<std::optional<Snapshot>, VkResult>
KernelBridge::snapshot(const core::ImageList& free) {
    if (polls_first_) {
        // One poll() of all dma-bufs costs no more than one export, and makes no sync_file that
        // has to be imported and closed.
        std::array<pollfd, core::max_images> busy;
        const auto idle = find_idle(images(), free, std::span(busy).first(free.size()));
        if (!idle)
            return std::unexpected(idle.error());
        if (*idle)
            return Snapshot{**idle, Fd()};
    }
    return export_fences(free[0]);
}

std::expected<Fd, ioctl::Errno> KernelBridge::export_sync_file(const Fd& dma_buf) const {
    return ioctl::export_sync_file(dma_buf);
}

std::expected<void, ioctl::Errno> KernelBridge::import_sync_file(const Fd& dma_buf,
                                                                 const Fd& sync_file) const {
    return ioctl::import_sync_file(dma_buf, sync_file);
}

} // namespace fencebridge::sync
