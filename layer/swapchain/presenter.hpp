// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>
#include <vulkan/vulkan.h>

#include "core/frame_pacing.hpp"
#include "core/image_ring.hpp"
#include "core/timeline_point.hpp"
#include "util/deadline.hpp"

namespace fencebridge {

/// A window system's side of one swapchain: shows images and takes them back. It marks images that
/// come back as free in the ring that it was made with.
class Presenter {
public:
    virtual ~Presenter() = default;

    /// Counts what has happened, so that a wait does not miss what happened before it.
    enum class Stamp : uint64_t {};

    /// Takes note of every image that has come back and that can be seen without waiting.
    /// @return VK_ERROR_SURFACE_LOST_KHR when there is no window system any more
    [[nodiscard]] virtual std::expected<Stamp, VkResult> update() = 0;

    /// Waits until something has happened since `seen`, or on one of `also`, at most until the
    /// deadline.
    /// @param also  filled in as by poll(2)
    /// @return VK_SUCCESS, VK_TIMEOUT or VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] virtual VkResult wait(Stamp seen, const Deadline& deadline,
                                        std::span<pollfd> also) = 0;

    /// How long present() would wait now for its turn. Does not wait.
    [[nodiscard]] virtual core::CommitWait expected_wait() = 0;

    /// Shows an image, in the order and at the pace of the present mode. The image's fences are in
    /// place.
    /// @param points  where the fences are, for a presenter that was given timelines
    /// @param turn    whether the present mode's pace is kept
    /// @return VK_SUCCESS; VK_SUBOPTIMAL_KHR when the image is shown, but a new swapchain could be
    ///         shown better; VK_ERROR_SURFACE_LOST_KHR
    [[nodiscard]] virtual VkResult present(core::ImageIndex image,
                                           const std::optional<core::CommitPoints>& points,
                                           core::Turn turn) = 0;

    /// Whether a new swapchain could be shown better, as of the last update() or present().
    [[nodiscard]] virtual bool is_suboptimal() const = 0;
};

} // namespace fencebridge
