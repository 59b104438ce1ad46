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
#include "kernel/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::kernel {

/// A DRM render node of this machine.
struct RenderNode {
    std::string path;
    dev_t number;
    bool preferred; ///< it belongs to the preferred device
};

/// All of them: first the one that belongs to `preferred`, which may be a device's primary or
/// render node. A syncobj is of no particular device; any node that has them will do.
///
/// Primary nodes are left out: opening one can make the process the master of a display.
[[nodiscard]] std::vector<RenderNode> render_nodes(std::optional<dev_t> preferred);

/// The name of a syncobj within its device file.
enum class SyncobjHandle : uint32_t {};

/// A DRM device file, for its syncobjs: drivers/gpu/drm/drm_syncobj.c, and drm.h for the ioctls.
class SyncobjDevice {
public:
    /// One open file serves all who have it at the same time in this process.
    /// @param path  a render node
    [[nodiscard]] static std::expected<std::shared_ptr<const SyncobjDevice>, Errno>
    open(const std::string& path);

    [[nodiscard]] std::expected<SyncobjHandle, Errno> create() const;
    void destroy(SyncobjHandle syncobj) const;

    /// A file descriptor of the syncobj, close-on-exec, for another process or another device file.
    [[nodiscard]] std::expected<Fd, Errno> share(SyncobjHandle syncobj) const;
    /// A handle, to be destroyed, of a syncobj that was shared.
    [[nodiscard]] std::expected<SyncobjHandle, Errno> import(const Fd& shared) const;

    /// Signals a point. EOPNOTSUPP: the device has no timelines.
    [[nodiscard]] std::expected<void, Errno> signal(SyncobjHandle timeline,
                                                    core::TimelinePoint point) const;

    /// The last point of each timeline that has signalled.
    /// @param timelines  not empty
    /// @param points     at least as many
    [[nodiscard]] std::expected<void, Errno>
    query_signalled(std::span<const SyncobjHandle> timelines,
                    std::span<core::TimelinePoint> points) const {
        return query(timelines, points, false);
    }
    /// The same for the last that has materialised.
    [[nodiscard]] std::expected<void, Errno>
    query_materialised(std::span<const SyncobjHandle> timelines,
                       std::span<core::TimelinePoint> points) const {
        return query(timelines, points, true);
    }

    /// Adds one to an eventfd's counter when a point materialises: now, if it has. Linux 6.6.
    [[nodiscard]] std::expected<void, Errno>
    notify(SyncobjHandle timeline, core::TimelinePoint point, const Fd& eventfd) const;

    /// Puts a sync_file's fence at a point of a timeline. Linux 6.16; EINVAL before. The fence must
    /// not be a dma_fence_chain itself: the kernel would warn (dma_fence_chain_init()).
    [[nodiscard]] std::expected<void, Errno>
    import_point(SyncobjHandle timeline, core::TimelinePoint point, const Fd& sync_file) const;
    /// A sync_file of the fence at a point, which is such a chain. Linux 6.16; EINVAL before, and
    /// where there is no fence.
    [[nodiscard]] std::expected<Fd, Errno> export_point(SyncobjHandle timeline,
                                                        core::TimelinePoint point) const;

    /// The same two on any kernel with timelines, in two steps over a binary syncobj, whose fence
    /// is replaced. One thread at a time may use it.
    [[nodiscard]] std::expected<void, Errno> import_point_by(SyncobjHandle scratch,
                                                             SyncobjHandle timeline,
                                                             core::TimelinePoint point,
                                                             const Fd& sync_file) const;
    [[nodiscard]] std::expected<Fd, Errno>
    export_point_by(SyncobjHandle scratch, SyncobjHandle timeline, core::TimelinePoint point) const;

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

} // namespace fencebridge::kernel
