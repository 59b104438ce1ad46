// SPDX-License-Identifier: MIT
#include "sync/cpu_bridge.hpp"

#include "sync/fence_poll.hpp"

namespace fencebridge::sync {

std::expected<std::optional<Snapshot>, VkResult> CpuBridge::snapshot(const core::ImageList& free) {
    const auto idle = find_idle(images_, free, std::span(busy_).first(free.size()));
    if (!idle)
        return std::unexpected(idle.error());
    if (!*idle)
        return std::nullopt;
    return Snapshot{**idle, Fd()};
}

std::expected<std::span<pollfd>, VkResult> CpuBridge::prepare_wait(const core::ImageList& free) {
    return std::span(busy_).first(free.size());
}

std::expected<std::optional<core::CommitPoints>, VkResult>
CpuBridge::attach_rendering(core::ImageIndex, const Rendering& rendering) {
    if (const VkResult result = rendering.wait(); result != VK_SUCCESS)
        return std::unexpected(result);
    return std::nullopt;
}

} // namespace fencebridge::sync
