// SPDX-License-Identifier: MIT
#include "sync/dma_bufs.hpp"

#include <algorithm>

#include "kernel/dma_buf.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<std::optional<core::ImageIndex>, VkResult>
find_idle(std::span<const image::SwapchainImage> images, const core::ImageList& of,
          std::span<pollfd> busy) {
    std::ranges::transform(of, busy.begin(), [&](core::ImageIndex image) {
        return pollfd{
            .fd = images[static_cast<size_t>(image)].dma_buf.get(), .events = 0, .revents = 0};
    });
    const auto writable = kernel::find_writable(busy);
    if (!writable) {
        log::error("poll of a dma-buf: %s", kernel::text(writable.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    if (!*writable)
        return std::nullopt;
    return of[**writable];
}

} // namespace fencebridge::sync
