// SPDX-License-Identifier: MIT
#pragma once

#include "sync/timeline_device.hpp"

namespace fencebridge::sync {

/// Transport `explicit`: linux-drm-syncobj-v1. Each image has two timelines of its own: a point
/// that signals also signals all earlier points of its timeline, and the compositor may release
/// images in any order.
///
/// Acquire timeline: signalled_point stands for rendering that is done. Each fence that is still
/// pending gets the next point. Release timeline: its points count the commits of the image.
///
/// A release point has no fence when the compositor receives the commit. The image is released when
/// the point materialises, and the fence of the point is the snapshot. All registered points signal
/// one eventfd. Its count is the number of points that have materialised; queries find which ones.
/// The first query returns the points that have signalled. If it finds no released image, and the
/// count includes points that are not known yet, a second query returns the points that have
/// materialised.
class ExplicitBridge final : public Bridge {
public:
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, OpenError>
    open(size_t images, const TimelineSupport& window_system);

    std::expected<std::vector<ImageTimelines>, VkResult> share_timelines() override;
    bool reports_releases() const override { return true; }
    std::expected<core::ImageList, VkResult> find_released(const core::ImageList& presented,
                                                           const core::ImageList& free) override;
    std::expected<std::optional<Snapshot>, VkResult> snapshot(const core::ImageList& free) override;
    std::expected<std::span<pollfd>, VkResult> prepare_wait(const core::ImageList& free) override;
    bool needs_dma_bufs() const override { return false; }
    std::expected<std::optional<core::CommitPoints>, VkResult>
    attach_rendering(core::ImageIndex image, const Rendering& rendering) override;

private:
    struct Image {
        ioctl::Syncobj acquire;
        ioctl::Syncobj release;
        /// The last point of the acquire timeline that has a fence.
        core::TimelinePoint last_acquire = signalled_point;
        /// The release point of the last commit; 0: the image was never committed.
        core::TimelinePoint committed{0};
        /// The release point to wait for. While the application has the image, it is the point of
        /// the next commit; after that commit it is `committed`. Used by the acquiring thread only.
        core::TimelinePoint awaited_point{0};
        /// The eventfd is registered for awaited_point, which is not known to have materialised.
        /// Used by the acquiring thread only.
        bool registered = false;
        bool idle = true; ///< `committed` is known to have signalled
    };

    ExplicitBridge(std::unique_ptr<TimelineDevice> device, Fd eventfd);

    std::expected<void, OpenError> add_image();
    std::optional<core::ImageIndex> first_idle(const core::ImageList& among) const;
    std::expected<core::ImageList, VkResult> query(const core::ImageList& presented,
                                                   const core::ImageList& free);
    std::expected<core::ImageList, VkResult> query_signalled(const core::ImageList& presented,
                                                             const core::ImageList& free);
    std::expected<core::ImageList, VkResult> query_materialised(const core::ImageList& presented);
    void read_eventfd();
    void note_materialised(Image& image);
    Image& at(core::ImageIndex image) { return images_[static_cast<size_t>(image)]; }
    const Image& at(core::ImageIndex image) const { return images_[static_cast<size_t>(image)]; }

    const std::unique_ptr<TimelineDevice> device_;
    std::vector<Image> images_;

    // Used by the acquiring thread only:
    const Fd eventfd_;
    pollfd polled_; ///< the eventfd
    /// The eventfd's count as far as it was read, less the registered points that are known to have
    /// materialised. Positive: a query has still to find points. Negative: a query has found points
    /// whose count is still to be read from the eventfd.
    int64_t unaccounted_ = 0;
    /// After a query that found nothing, this many waits begin without a query.
    uint32_t skip_length_ = 0;
    uint32_t queries_to_skip_ = 0; ///< how many of those waits are left
};

} // namespace fencebridge::sync
