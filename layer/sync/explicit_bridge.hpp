// SPDX-License-Identifier: MIT
#pragma once

#include "kernel/syncobj.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// Transport `explicit`: linux-drm-syncobj-v1. Each image has two timelines of its own: the
/// compositor may release images in any order, and a point that signals also signals all earlier
/// points of its timeline.
///
/// Points of an acquire timeline: 1 has signalled from the start and stands for rendering that is
/// done; each fence that is still pending gets the next. Points of a release timeline count the
/// image's commits.
///
/// A release point has no fence when the compositor receives the commit. The image is released when
/// the point materialises; the point's fence is the snapshot. All awaited points signal one
/// eventfd, which does not tell which point it was. Two queries find that: which points have
/// signalled, and, if that does not account for the count, which have materialised.
class ExplicitBridge final : public Bridge {
public:
    /// Takes the first DRM node that has what is needed, the compositor's own before others.
    [[nodiscard]] static std::expected<std::unique_ptr<Bridge>, Obstacle>
    open(size_t images, const TimelineTaker& taker);

    std::expected<std::vector<ImageTimelines>, VkResult> share_timelines() override;
    std::expected<core::ImageList, VkResult> released(const core::ImageList& presented,
                                                      const core::ImageList& free) override;
    std::expected<std::optional<Snapshot>, VkResult> acquire(const core::ImageList& free) override;
    std::expected<std::span<pollfd>, VkResult> await_release(const core::ImageList& free) override;
    bool needs_dma_bufs() const override { return false; }
    std::expected<std::optional<core::CommitPoints>, VkResult>
    present(core::ImageIndex image, const Fd& rendering) override;

private:
    struct Image {
        kernel::Syncobj acquire;
        kernel::Syncobj release;
        core::TimelinePoint last_acquire; ///< of the acquire timeline, that has a fence
        core::TimelinePoint committed{0}; ///< of the release timeline; 0: never committed
        /// Of the release timeline: what the next commit's will be, or the last commit's is, since
        /// the image was acquired. The acquiring thread's own.
        core::TimelinePoint expected{0};
        /// The eventfd is registered for `expected`, which is not known to have materialised.
        bool awaited = false;
        bool idle = true; ///< `committed` is known to have signalled
    };

    ExplicitBridge(std::shared_ptr<const kernel::SyncobjDevice> device, Fd eventfd);

    static std::expected<std::unique_ptr<ExplicitBridge>, Obstacle> open_on(const std::string& node,
                                                                            size_t images);
    std::expected<void, Obstacle> add_image();
    std::expected<void, Obstacle> try_out();
    std::expected<void, Obstacle> try_import(const std::string& node) const;
    std::optional<core::ImageIndex> find_idle(const core::ImageList& of) const;
    std::expected<core::ImageList, VkResult> look(const core::ImageList& presented,
                                                  const core::ImageList& free);
    std::expected<core::ImageList, VkResult> find_signalled(const core::ImageList& presented,
                                                            const core::ImageList& free);
    std::expected<core::ImageList, VkResult> find_materialised(const core::ImageList& presented);
    void read_eventfd();
    void has_materialised(Image& image);
    std::expected<Fd, kernel::Errno> export_point(kernel::SyncobjHandle timeline,
                                                  core::TimelinePoint point) const;
    std::expected<void, kernel::Errno> import_point(kernel::SyncobjHandle timeline,
                                                    core::TimelinePoint point,
                                                    const Fd& sync_file) const;
    Image& at(core::ImageIndex image) { return images_[static_cast<size_t>(image)]; }
    const Image& at(core::ImageIndex image) const { return images_[static_cast<size_t>(image)]; }

    const std::shared_ptr<const kernel::SyncobjDevice> device_;
    std::vector<Image> images_;

    // The acquiring thread's own:
    const Fd eventfd_;
    pollfd polled_; ///< the eventfd
    /// Eventfd signals read, less awaited points known to have materialised. Negative: some signals
    /// are still unread.
    int64_t unexplained_ = 0;
    /// How many waits in a row begin without a query, because the last such queries found nothing;
    /// and how many of these waits are still to come.
    uint32_t looks_left_out_ = 0;
    uint32_t looks_to_leave_out_ = 0;

    /// Before Linux 6.16 no ioctl joins a sync_file and a timeline point: a binary syncobj is
    /// between them, one for the acquiring thread and one for the presenting thread.
    std::optional<kernel::Syncobj> acquire_scratch_;
    std::optional<kernel::Syncobj> present_scratch_;
};

} // namespace fencebridge::sync
