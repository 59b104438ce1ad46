// SPDX-License-Identifier: MIT
#pragma once

#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// The bridge of images whose memory carries no fences (core::Placement). A released image is idle:
/// the window system says so when it reads the memory no longer. There is nothing to attach: the
/// presenter shows an image when its rendering has ended (DeferredPresenter).
class UnfencedBridge final : public Bridge {
public:
    /// @param waits  attach_rendering() waits for the rendering on the CPU. Then no present is
    ///               deferred
    explicit UnfencedBridge(bool waits) : waits_(waits) {}

    std::expected<std::optional<Snapshot>, VkResult>
    snapshot(const core::ImageList& free) override {
        return Snapshot{free[0], Fd()};
    }
    bool needs_dma_bufs() const override { return false; }
    std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex, const Rendering& rendering) override {
        const VkResult result = waits_ ? rendering.wait() : VK_SUCCESS;
        if (result != VK_SUCCESS)
            return std::unexpected(result);
        return std::nullopt;
    }

private:
    const bool waits_;
};

} // namespace fencebridge::sync
