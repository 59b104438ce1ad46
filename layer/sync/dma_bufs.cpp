// SPDX-License-Identifier: MIT
#include "sync/dma_bufs.hpp"

#include <array>

#include "kernel/dma_buf.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<std::optional<core::ImageIndex>, VkResult>
wait_for_idle(std::span<const image::SwapchainImage> images, const core::ImageList& of,
              const Deadline& deadline) {
    std::array<int, core::max_images> dma_bufs;
    for (size_t i = 0; i < of.size(); ++i)
        dma_bufs[i] = images[static_cast<size_t>(of[i])].dma_buf.get();
    const auto writable = kernel::wait_any_writable(std::span(dma_bufs).first(of.size()), deadline);
    if (!writable) {
        log::error("poll of a dma-buf: %s", kernel::text(writable.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    if (!*writable)
        return std::nullopt;
    return of[**writable];
}

} // namespace fencebridge::sync
