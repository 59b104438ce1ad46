// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// Transport `kernel`: the dma-buf's own sync_file ioctls, Linux 6.0.
class KernelBridge final : public Bridge {
public:
    /// Tries both ioctls on a dma-buf, by exporting its fences and importing them again.
    /// @return why they do not work, or nothing when they do; or VK_ERROR_OUT_OF_HOST_MEMORY when
    ///         this attempt does not tell
    [[nodiscard]] static std::expected<std::optional<std::string>, VkResult>
    probe(const Fd& dma_buf);

    std::expected<Fd, VkResult> acquire(const Fd& dma_buf, const Deadline& deadline) override;
    VkResult present(const Fd& dma_buf, const Fd& rendering) override;
};

} // namespace fencebridge::sync
