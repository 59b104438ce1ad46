// SPDX-License-Identifier: MIT
#include "sync/cpu_bridge.hpp"

#include "kernel/sync_file.hpp"
#include "sync/dma_bufs.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<Snapshot, VkResult> CpuBridge::acquire(const core::ImageList& free,
                                                     const Deadline& deadline) {
    const auto idle = wait_for_idle(images_, free, deadline);
    if (!idle)
        return std::unexpected(idle.error());
    if (!*idle)
        return std::unexpected(VK_TIMEOUT);
    return Snapshot{**idle, Fd()};
}

std::expected<std::optional<core::CommitPoints>, VkResult> CpuBridge::present(core::ImageIndex,
                                                                              const Fd& rendering) {
    if (const VkResult result = wait_for(rendering); result != VK_SUCCESS)
        return std::unexpected(result);
    return std::nullopt;
}

VkResult wait_for(const Fd& rendering) {
    if (!rendering)
        return VK_SUCCESS;
    const auto signalled = kernel::wait_signalled(rendering, Deadline::never());
    if (signalled)
        return VK_SUCCESS;
    log::error("poll of a sync_file: %s", kernel::text(signalled.error()).c_str());
    return VK_ERROR_OUT_OF_HOST_MEMORY;
}

} // namespace fencebridge::sync
