// SPDX-License-Identifier: MIT
#pragma once

#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// Transport `cpu`: waits for every fence itself. Works on any kernel and driver, and is what the
/// others are compared with.
class CpuBridge final : public Bridge {
public:
    std::expected<Fd, VkResult> acquire(const Fd& dma_buf, const Deadline& deadline) override;
    VkResult present(const Fd& dma_buf, const Fd& rendering) override;
};

} // namespace fencebridge::sync
