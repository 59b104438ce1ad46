// SPDX-License-Identifier: MIT
#include "sync/cpu_bridge.hpp"

#include "kernel/sync_file.hpp"
#include "sync/dma_bufs.hpp"
#include "util/log.hpp"

namespace fencebridge::sync {

std::expected<std::optional<Snapshot>, VkResult> CpuBridge::acquire(const core::ImageList& free) {
    const auto idle = find_idle(images_, free, std::span(busy_).first(free.size()));
    if (!idle)
        return std::unexpected(idle.error());
    if (!*idle)
        return std::nullopt;
    return Snapshot{**idle, Fd()};
}

std::expected<std::span<pollfd>, VkResult> CpuBridge::await_release(const core::ImageList& free) {
    return std::span(busy_).first(free.size());
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
