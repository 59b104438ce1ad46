// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "core/surface_limits.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// Transport `cpu`: waits for every fence itself. Works on any kernel and driver, and is what the
/// others are compared with.
class CpuBridge final : public Bridge {
public:
    explicit CpuBridge(std::span<const image::SwapchainImage> images) : images_(images) {}

    std::expected<std::optional<Snapshot>, VkResult> acquire(const core::ImageList& free) override;
    std::expected<std::span<pollfd>, VkResult> await_release(const core::ImageList& free) override;
    std::expected<std::optional<core::CommitPoints>, VkResult>
    present(core::ImageIndex image, const Fd& rendering) override;

private:
    const std::span<const image::SwapchainImage> images_;
    std::array<pollfd, core::max_images> busy_; ///< of those that acquire() was last given
};

/// Waits on the CPU for a rendering's sync_file: what any transport does with one that it cannot
/// carry.
[[nodiscard]] VkResult wait_for(const Fd& rendering);

} // namespace fencebridge::sync
