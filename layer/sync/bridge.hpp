// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vulkan/vulkan.h>

#include "core/transport_choice.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace fencebridge::sync {

/// A transport: carries fences between a swapchain's images and the window system. A sync_file is
/// the currency on both sides; an empty one has signalled already.
///
/// Called without any lock held; calls for different images may come from different threads.
class Bridge {
public:
    virtual ~Bridge() = default;

    /// An image has come back from the window system: the fences that the application must wait
    /// for before it draws to it, and none that is attached later.
    /// @param deadline  for a transport that has to wait on the CPU
    /// @return a sync_file; VK_TIMEOUT when the deadline passed; or what failed
    [[nodiscard]] virtual std::expected<Fd, VkResult> acquire(const Fd& dma_buf,
                                                              const Deadline& deadline) = 0;

    /// An image is about to go to the window system, which shall not read it before `rendering`
    /// has signalled. Never loses the fence: what cannot be carried is waited for.
    [[nodiscard]] virtual VkResult present(const Fd& dma_buf, const Fd& rendering) = 0;
};

/// Why a transport was not opened: what it lacks, in words; or VK_ERROR_OUT_OF_HOST_MEMORY when
/// that cannot be told for want of memory or descriptors.
using Obstacle = std::variant<std::string, VkResult>;

struct BridgeChoice {
    std::unique_ptr<Bridge> bridge;
    core::TransportChoice why;
};

/// Tries transports out on a buffer, in the order of core::choose_transport(), and takes the first
/// that works. Those behind it are not touched.
/// @return or VK_ERROR_OUT_OF_HOST_MEMORY when trying failed for want of memory or descriptors
[[nodiscard]] std::expected<BridgeChoice, VkResult>
choose_bridge(const Fd& dma_buf, std::optional<core::Transport> requested);

} // namespace fencebridge::sync
