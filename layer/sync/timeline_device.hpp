// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "ioctl/syncobj.hpp"
#include "sync/bridge.hpp"

namespace fencebridge::sync {

/// The first point of every timeline from create_signalled(). It has signalled.
inline constexpr core::TimelinePoint signalled_point{1};

[[nodiscard]] constexpr core::TimelinePoint next_point(core::TimelinePoint point) {
    return core::TimelinePoint{static_cast<uint64_t>(point) + 1};
}

/// The DRM device of an ExplicitBridge: makes timeline syncobjs, and carries fences between their
/// points and sync_files.
class TimelineDevice {
public:
    /// Opens the first render node that has what the bridge needs, the window system's own before
    /// others, and tries out every operation once.
    /// @param eventfd  for the trial; its counter is 0 before and after it
    [[nodiscard]] static std::expected<std::unique_ptr<TimelineDevice>, OpenError>
    open(const TimelineSupport& window_system, const Fd& eventfd);

    /// Opens a render node by its path, and tries out every operation once.
    /// @param importer  the window system's render node, where that is another one; else empty
    /// @param eventfd   as in open()
    [[nodiscard]] static std::expected<std::unique_ptr<TimelineDevice>, OpenError>
    open_node(const std::string& node, const std::string& importer, const Fd& eventfd);

    [[nodiscard]] const ioctl::SyncobjDevice& syncobjs() const { return *device_; }

    /// Creates a timeline without points.
    [[nodiscard]] std::expected<ioctl::Syncobj, OpenError> create() const;
    /// Creates a timeline on which signalled_point has signalled.
    [[nodiscard]] std::expected<ioctl::Syncobj, OpenError> create_signalled() const;

    /// Exports the fence of a materialised point as a sync_file. One thread at a time.
    [[nodiscard]] std::expected<Fd, ioctl::Errno> export_point(ioctl::SyncobjHandle timeline,
                                                               core::TimelinePoint point) const;
    /// Attaches a sync_file's fence to a point. One thread at a time, which may run at the same
    /// time as one in export_point().
    [[nodiscard]] std::expected<void, ioctl::Errno> import_point(ioctl::SyncobjHandle timeline,
                                                                 core::TimelinePoint point,
                                                                 const Fd& sync_file) const;

private:
    explicit TimelineDevice(std::shared_ptr<const ioctl::SyncobjDevice> device) :
        device_(std::move(device)) {}

    std::expected<void, OpenError> try_out(const std::string& importer, const Fd& eventfd);
    std::expected<void, OpenError> try_fences(ioctl::SyncobjHandle timeline);
    std::expected<void, OpenError> try_queries(ioctl::SyncobjHandle timeline) const;
    std::expected<void, OpenError> try_eventfd(ioctl::SyncobjHandle timeline,
                                               const Fd& eventfd) const;
    std::expected<void, OpenError> try_import_on(const std::string& importer,
                                                 ioctl::SyncobjHandle timeline) const;

    const std::shared_ptr<const ioctl::SyncobjDevice> device_;
    /// Before Linux 6.16 no ioctl connects a sync_file with a timeline point: the fence is copied
    /// by way of a binary syncobj. One for each direction, each used by one thread at a time.
    std::optional<ioctl::Syncobj> export_scratch_;
    std::optional<ioctl::Syncobj> import_scratch_;
};

} // namespace fencebridge::sync
