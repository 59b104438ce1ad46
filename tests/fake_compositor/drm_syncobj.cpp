// SPDX-License-Identifier: MIT
#include "drm_syncobj.hpp"

#include <drm.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <string>

namespace fencebridge::test {
namespace {

// DRM's minor numbers of render nodes.
constexpr int first_node = 128;
constexpr int last_node = 191;

std::atomic<size_t> live_syncobjs = 0;

// As libdrm's drmIoctl(): repeats an ioctl that was interrupted.
bool call(int fd, unsigned long request, void* argument) {
    int result;
    do
        result = ioctl(fd, request, argument);
    while (result != 0 && (errno == EINTR || errno == EAGAIN));
    return result == 0;
}

bool has_timelines(int fd) {
    drm_get_cap request{DRM_CAP_SYNCOBJ_TIMELINE, 0};
    return call(fd, DRM_IOCTL_GET_CAP, &request) && request.value != 0;
}

// The deadlines of syncobj ioctls are absolute times of CLOCK_MONOTONIC.
int64_t deadline_after(std::chrono::nanoseconds time) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1'000'000'000 + now.tv_nsec + time.count();
}

} // namespace

std::shared_ptr<const DrmNode> DrmNode::find() {
    for (int minor = first_node; minor <= last_node; ++minor) {
        std::string path = "/dev/dri/renderD" + std::to_string(minor);
        Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC));
        if (!fd || !has_timelines(fd.get()))
            continue;
        std::shared_ptr<const DrmNode> node(new DrmNode(std::move(fd)));
        if (Syncobj::make(node))
            return node;
    }
    return nullptr;
}

std::shared_ptr<Syncobj> Syncobj::make(std::shared_ptr<const DrmNode> node) {
    drm_syncobj_create request{};
    if (!call(node->fd(), DRM_IOCTL_SYNCOBJ_CREATE, &request))
        return nullptr;
    return std::shared_ptr<Syncobj>(new Syncobj(std::move(node), request.handle));
}

std::shared_ptr<Syncobj> Syncobj::import(std::shared_ptr<const DrmNode> node, int fd) {
    drm_syncobj_handle request{};
    request.fd = fd;
    if (!call(node->fd(), DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &request))
        return nullptr;
    return std::shared_ptr<Syncobj>(new Syncobj(std::move(node), request.handle));
}

Syncobj::Syncobj(std::shared_ptr<const DrmNode> node, uint32_t handle) :
    node_(std::move(node)), handle_(handle) {
    ++live_syncobjs;
}

Syncobj::~Syncobj() {
    drm_syncobj_destroy request{handle_, 0};
    if (call(node_->fd(), DRM_IOCTL_SYNCOBJ_DESTROY, &request))
        --live_syncobjs;
}

size_t Syncobj::live() { return live_syncobjs; }

Fd Syncobj::share() const {
    drm_syncobj_handle request{};
    request.handle = handle_;
    request.fd = -1;
    if (!call(node_->fd(), DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &request))
        return {};
    return Fd(request.fd);
}

bool Syncobj::wait_until(uint64_t point, uint32_t flags, int64_t deadline) const {
    drm_syncobj_timeline_wait request{};
    request.handles = uintptr_t(&handle_);
    request.points = uintptr_t(&point);
    request.count_handles = 1;
    request.flags = flags;
    request.timeout_nsec = deadline;
    return call(node_->fd(), DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &request);
}

bool Syncobj::has_fence(uint64_t point) const {
    return wait_until(point, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE, 0);
}

// Without DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT the ioctl also fails if the point has no fence.
bool Syncobj::signalled(uint64_t point) const { return wait_until(point, 0, 0); }

bool Syncobj::wait(uint64_t point, std::chrono::milliseconds timeout) const {
    return wait_until(point, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, deadline_after(timeout));
}

bool Syncobj::signal(uint64_t point) {
    drm_syncobj_timeline_array request{};
    request.handles = uintptr_t(&handle_);
    request.points = uintptr_t(&point);
    request.count_handles = 1;
    return call(node_->fd(), DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &request);
}

// Uses a binary syncobj in between: only Linux 6.16 and later can import at a point directly.
bool Syncobj::import_fence(uint64_t point, const Fd& sync_file) {
    std::shared_ptr<Syncobj> scratch = make(node_);
    if (!scratch)
        return false;
    drm_syncobj_handle import{};
    import.handle = scratch->handle_;
    import.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
    import.fd = sync_file.get();
    drm_syncobj_transfer transfer{};
    transfer.src_handle = scratch->handle_;
    transfer.dst_handle = handle_;
    transfer.dst_point = point;
    return call(node_->fd(), DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import) &&
           call(node_->fd(), DRM_IOCTL_SYNCOBJ_TRANSFER, &transfer);
}

} // namespace fencebridge::test
