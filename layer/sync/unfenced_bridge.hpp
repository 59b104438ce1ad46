// SPDX-License-Identifier: MIT
#pragma once

#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// The bridge of images whose memory carries no fences (core::Placement). A released image is idle:
/// the window system says so when it reads the memory no longer. The presenter shows an image when
/// its rendering has ended (DeferredPresenter), so there is nothing to attach.
class UnfencedBridge final : public Bridge {
public:
    std::expected<std::optional<Snapshot>, VkResult>
    snapshot(const core::ImageList& free) override {
        return Snapshot{free[0], Fd()};
    }
    bool needs_dma_bufs() const override { return false; }
    std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex, const Rendering&) override {
        return std::nullopt;
    }
};

} // namespace fencebridge::sync
