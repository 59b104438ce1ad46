// SPDX-License-Identifier: MIT
#include "sync/cpu_bridge.hpp"

#include "kernel/dma_buf.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<Fd, VkResult> CpuBridge::acquire(const Fd& dma_buf, const Deadline& deadline) {
    const auto writable = kernel::wait_writable(dma_buf, deadline);
    if (!writable) {
        log::error("poll of a dma-buf: %s", kernel::text(writable.error()).c_str());
        return std::unexpected(VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    if (!*writable)
        return std::unexpected(VK_TIMEOUT);
    return Fd();
}

VkResult CpuBridge::present(const Fd&, const Fd& rendering) {
    if (!rendering)
        return VK_SUCCESS;
    const auto signalled = kernel::wait_signalled(rendering, Deadline::never());
    if (signalled)
        return VK_SUCCESS;
    log::error("poll of a sync_file: %s", kernel::text(signalled.error()).c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace fencebridge::sync
