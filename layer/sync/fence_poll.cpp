// SPDX-License-Identifier: MIT
#include "sync/fence_poll.hpp"

#include <algorithm>

#include "ioctl/dma_buf.hpp"
#include "ioctl/sync_file.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<std::optional<core::ImageIndex>, VkResult>
find_idle(std::span<const image::SwapchainImage> images, const core::ImageList& among,
          std::span<pollfd> busy) {
    std::ranges::transform(among, busy.begin(), [&](core::ImageIndex image) {
        return pollfd{
            .fd = images[static_cast<size_t>(image)].dma_buf.get(), .events = 0, .revents = 0};
    });
    const auto writable = ioctl::find_writable(busy);
    if (!writable) {
        log::error("poll() of the free images' dma-bufs: %s; vkAcquireNextImageKHR fails",
                   ioctl::text(writable.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    if (!*writable)
        return std::nullopt;
    return among[**writable];
}

VkResult wait_on_cpu(const Fd& rendering_fence) {
    if (!rendering_fence)
        return VK_SUCCESS;
    const auto signalled = ioctl::wait_signalled(rendering_fence, Deadline::never());
    if (signalled)
        return VK_SUCCESS;
    log::error("wait for the rendering's sync_file (poll): %s; the device is lost",
               ioctl::text(signalled.error()).c_str());
    return VK_ERROR_DEVICE_LOST;
}

} // namespace fencebridge::sync
