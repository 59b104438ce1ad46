// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "core/surface_limits.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// Transport `cpu`: waits for every fence on the CPU. Works on any kernel and driver.
class CpuBridge final : public Bridge {
public:
    explicit CpuBridge(std::span<const image::SwapchainImage> images) : images_(images) {}

    std::expected<std::optional<Snapshot>, VkResult> snapshot(const core::ImageList& free) override;
    std::expected<std::span<pollfd>, VkResult> prepare_wait(const core::ImageList& free) override;
    std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex image, const Rendering& rendering) override;

private:
    const std::span<const image::SwapchainImage> images_;
    /// What to poll for, for each image of the last snapshot().
    std::array<pollfd, core::max_images> busy_;
};

} // namespace fencebridge::sync
