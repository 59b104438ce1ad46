// SPDX-License-Identifier: MIT
#include "ioctl/syncobj.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <drm.h>
#include <drm_syncobj.h>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "util/locked.hpp"

namespace fencebridge::ioctl {

namespace {

uint64_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

/// DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD.
std::expected<Fd, Errno> export_fd(const Fd& device, SyncobjHandle syncobj, uint32_t flags,
                                   core::TimelinePoint point = core::TimelinePoint{0}) {
    fencebridge_syncobj_point argument = {
        .handle = static_cast<uint32_t>(syncobj),
        .flags = flags,
        .fd = -1,
        .pad = 0,
        .point = static_cast<uint64_t>(point),
    };
    if (auto done = retry_ioctl(device, FENCEBRIDGE_SYNCOBJ_IOCTL_EXPORT_POINT, &argument); !done)
        return std::unexpected(done.error());
    return Fd(argument.fd);
}

/// DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, with a sync_file.
std::expected<void, Errno> import_fd(const Fd& device, SyncobjHandle syncobj, uint32_t flags,
                                     const Fd& sync_file,
                                     core::TimelinePoint point = core::TimelinePoint{0}) {
    fencebridge_syncobj_point argument = {
        .handle = static_cast<uint32_t>(syncobj),
        .flags = flags,
        .fd = sync_file.get(),
        .pad = 0,
        .point = static_cast<uint64_t>(point),
    };
    return retry_ioctl(device, FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT, &argument);
}

constexpr uint32_t of_point = FENCEBRIDGE_SYNCOBJ_SYNC_FILE | FENCEBRIDGE_SYNCOBJ_POINT;
constexpr uint32_t of_binary = FENCEBRIDGE_SYNCOBJ_SYNC_FILE;

} // namespace

std::expected<std::shared_ptr<const SyncobjDevice>, Errno>
SyncobjDevice::open(const std::string& path) {
    using Shared = std::map<std::string, std::weak_ptr<const SyncobjDevice>>;
    // Never destroyed: an application may use Vulkan from a static destructor of its own.
    static auto* const shared = new Locked<Shared>;
    if (auto known = shared->with([&](Shared& all) { return all[path].lock(); }))
        return known;
    Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd)
        return std::unexpected(Errno{errno});
    std::shared_ptr<const SyncobjDevice> device(new SyncobjDevice(std::move(fd)));
    shared->with([&](Shared& all) { all[path] = device; });
    return device;
}

std::expected<SyncobjHandle, Errno> SyncobjDevice::create() const {
    drm_syncobj_create argument = {};
    if (auto done = retry_ioctl(fd_, DRM_IOCTL_SYNCOBJ_CREATE, &argument); !done)
        return std::unexpected(done.error());
    return SyncobjHandle{argument.handle};
}

void SyncobjDevice::destroy(SyncobjHandle syncobj) const {
    drm_syncobj_destroy argument = {.handle = static_cast<uint32_t>(syncobj), .pad = 0};
    static_cast<void>(retry_ioctl(fd_, DRM_IOCTL_SYNCOBJ_DESTROY, &argument));
}

std::expected<Fd, Errno> SyncobjDevice::share(SyncobjHandle syncobj) const {
    return export_fd(fd_, syncobj, 0);
}

std::expected<SyncobjHandle, Errno> SyncobjDevice::import(const Fd& shared) const {
    fencebridge_syncobj_point argument = {
        .handle = 0, .flags = 0, .fd = shared.get(), .pad = 0, .point = 0};
    if (auto done = retry_ioctl(fd_, FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT, &argument); !done)
        return std::unexpected(done.error());
    return SyncobjHandle{argument.handle};
}

std::expected<void, Errno> SyncobjDevice::signal(SyncobjHandle timeline,
                                                 core::TimelinePoint point) const {
    drm_syncobj_timeline_array argument = {
        .handles = address(&timeline),
        .points = address(&point),
        .count_handles = 1,
        .flags = 0,
    };
    return retry_ioctl(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &argument);
}

std::expected<void, Errno> SyncobjDevice::query(std::span<const SyncobjHandle> timelines,
                                                std::span<core::TimelinePoint> points,
                                                bool materialised) const {
    drm_syncobj_timeline_array argument = {
        .handles = address(timelines.data()),
        .points = address(points.data()),
        .count_handles = static_cast<uint32_t>(timelines.size()),
        .flags = materialised ? DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED : 0u,
    };
    return retry_ioctl(fd_, DRM_IOCTL_SYNCOBJ_QUERY, &argument);
}

std::expected<void, Errno> SyncobjDevice::register_eventfd(SyncobjHandle timeline,
                                                           core::TimelinePoint point,
                                                           const Fd& eventfd) const {
    fencebridge_syncobj_eventfd argument = {
        .handle = static_cast<uint32_t>(timeline),
        .flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE,
        .point = static_cast<uint64_t>(point),
        .fd = eventfd.get(),
        .pad = 0,
    };
    return retry_ioctl(fd_, FENCEBRIDGE_SYNCOBJ_IOCTL_EVENTFD, &argument);
}

std::expected<void, Errno> SyncobjDevice::import_point(SyncobjHandle timeline,
                                                       core::TimelinePoint point,
                                                       const Fd& sync_file) const {
    return import_fd(fd_, timeline, of_point, sync_file, point);
}

std::expected<Fd, Errno> SyncobjDevice::export_point(SyncobjHandle timeline,
                                                     core::TimelinePoint point) const {
    return export_fd(fd_, timeline, of_point, point);
}

std::expected<void, Errno> SyncobjDevice::import_point_via(SyncobjHandle scratch,
                                                           SyncobjHandle timeline,
                                                           core::TimelinePoint point,
                                                           const Fd& sync_file) const {
    if (auto done = import_fd(fd_, scratch, of_binary, sync_file); !done)
        return done;
    return transfer(scratch, core::TimelinePoint{0}, timeline, point);
}

std::expected<Fd, Errno> SyncobjDevice::export_point_via(SyncobjHandle scratch,
                                                         SyncobjHandle timeline,
                                                         core::TimelinePoint point) const {
    if (auto done = transfer(timeline, point, scratch, core::TimelinePoint{0}); !done)
        return std::unexpected(done.error());
    return export_fd(fd_, scratch, of_binary);
}

std::expected<void, Errno> SyncobjDevice::transfer(SyncobjHandle from,
                                                   core::TimelinePoint from_point, SyncobjHandle to,
                                                   core::TimelinePoint to_point) const {
    drm_syncobj_transfer argument = {
        .src_handle = static_cast<uint32_t>(from),
        .dst_handle = static_cast<uint32_t>(to),
        .src_point = static_cast<uint64_t>(from_point),
        .dst_point = static_cast<uint64_t>(to_point),
        .flags = 0,
        .pad = 0,
    };
    return retry_ioctl(fd_, DRM_IOCTL_SYNCOBJ_TRANSFER, &argument);
}

} // namespace fencebridge::ioctl
