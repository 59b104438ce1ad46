// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "core/timeline_point.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// The handle of a syncobj. It is valid for one open DRM file.
enum class SyncobjHandle : uint32_t {};

/// An open DRM device, for its syncobjs (drivers/gpu/drm/drm_syncobj.c; the ioctls are in drm.h).
class SyncobjDevice {
public:
    /// All users of the same node in this process share one open file.
    /// @param path  a render node
    [[nodiscard]] static std::expected<std::shared_ptr<const SyncobjDevice>, Errno>
    open(const std::string& path);

    [[nodiscard]] std::expected<SyncobjHandle, Errno> create() const;
    void destroy(SyncobjHandle syncobj) const;

    /// Exports a syncobj as a file descriptor, close-on-exec, for another process or device.
    [[nodiscard]] std::expected<Fd, Errno> share(SyncobjHandle syncobj) const;
    /// Imports a shared syncobj. The caller has to destroy the handle.
    [[nodiscard]] std::expected<SyncobjHandle, Errno> import(const Fd& shared) const;

    /// Signals a point. EOPNOTSUPP: the device has no timeline syncobjs.
    [[nodiscard]] std::expected<void, Errno> signal(SyncobjHandle timeline,
                                                    core::TimelinePoint point) const;

    /// Queries the last point of each timeline that has signalled.
    /// @param timelines  not empty
    /// @param points     at least as many
    [[nodiscard]] std::expected<void, Errno>
    query_signalled(std::span<const SyncobjHandle> timelines,
                    std::span<core::TimelinePoint> points) const {
        return query(timelines, points, false);
    }
    /// Queries the last point of each timeline that has materialised.
    [[nodiscard]] std::expected<void, Errno>
    query_materialised(std::span<const SyncobjHandle> timelines,
                       std::span<core::TimelinePoint> points) const {
        return query(timelines, points, true);
    }

    /// Registers an eventfd: the kernel adds one to its counter when the point materialises, or at
    /// once if it has. Linux 6.6.
    [[nodiscard]] std::expected<void, Errno>
    register_eventfd(SyncobjHandle timeline, core::TimelinePoint point, const Fd& eventfd) const;

    /// Attaches a sync_file's fence to a point. Linux 6.16; EINVAL before. The fence must not be a
    /// dma_fence_chain: the kernel would warn (dma_fence_chain_init()).
    [[nodiscard]] std::expected<void, Errno>
    import_point(SyncobjHandle timeline, core::TimelinePoint point, const Fd& sync_file) const;
    /// Exports the fence of a point as a sync_file. The fence is a dma_fence_chain. Linux 6.16;
    /// EINVAL before, and for a point without a fence.
    [[nodiscard]] std::expected<Fd, Errno> export_point(SyncobjHandle timeline,
                                                        core::TimelinePoint point) const;

    /// import_point() and export_point() for any kernel with timeline syncobjs: two steps by way of
    /// a binary syncobj, whose fence they replace. One thread at a time may use `scratch`.
    [[nodiscard]] std::expected<void, Errno> import_point_via(SyncobjHandle scratch,
                                                              SyncobjHandle timeline,
                                                              core::TimelinePoint point,
                                                              const Fd& sync_file) const;
    [[nodiscard]] std::expected<Fd, Errno> export_point_via(SyncobjHandle scratch,
                                                            SyncobjHandle timeline,
                                                            core::TimelinePoint point) const;

private:
    /// A point of 0 means a binary syncobj.
    std::expected<void, Errno> transfer(SyncobjHandle from, core::TimelinePoint from_point,
                                        SyncobjHandle to, core::TimelinePoint to_point) const;

    std::expected<void, Errno> query(std::span<const SyncobjHandle> timelines,
                                     std::span<core::TimelinePoint> points,
                                     bool materialised) const;

    explicit SyncobjDevice(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
};

/// Owns one syncobj. The device must outlive it.
class Syncobj {
public:
    Syncobj(const SyncobjDevice& device, SyncobjHandle handle) :
        device_(&device), handle_(handle) {}
    Syncobj(Syncobj&& other) noexcept :
        device_(std::exchange(other.device_, nullptr)), handle_(other.handle_) {}
    Syncobj& operator=(Syncobj&&) = delete;
    ~Syncobj() {
        if (device_ != nullptr)
            device_->destroy(handle_);
    }

    [[nodiscard]] SyncobjHandle get() const { return handle_; }

private:
    const SyncobjDevice* device_;
    SyncobjHandle handle_;
};

} // namespace fencebridge::ioctl
