// SPDX-License-Identifier: MIT
// DRM synchronisation objects, by the ioctls of drm.h. May be used on any thread.
#pragma once

#include "fd.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace fencebridge::test {

// A DRM render node with timeline syncobjs.
class DrmNode {
public:
    // The first such node of the machine; null if there is none.
    static std::shared_ptr<const DrmNode> find();

    int fd() const { return fd_.get(); }

private:
    explicit DrmNode(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
};

// One handle of a timeline syncobj; keeps its node open.
class Syncobj {
public:
    // Null if the kernel refuses.
    static std::shared_ptr<Syncobj> make(std::shared_ptr<const DrmNode> node);
    static std::shared_ptr<Syncobj> import(std::shared_ptr<const DrmNode> node, int fd);
    ~Syncobj();
    Syncobj(const Syncobj&) = delete;
    Syncobj& operator=(const Syncobj&) = delete;

    // A descriptor of the syncobj itself, for another process or node to import.
    Fd share() const;

    // Whether the point has materialised: it has a fence.
    bool has_fence(uint64_t point) const;
    // Whether the point has a fence that has signalled.
    bool signalled(uint64_t point) const;
    // Blocks until the point has signalled, even if it has no fence yet; false after the timeout.
    bool wait(uint64_t point, std::chrono::milliseconds timeout) const;

    bool signal(uint64_t point);
    // Imports the sync_file at the point, which signals with it.
    bool import_fence(uint64_t point, const Fd& sync_file);

    // The number of handles in this process.
    static size_t live();

private:
    Syncobj(std::shared_ptr<const DrmNode> node, uint32_t handle);
    bool wait_until(uint64_t point, uint32_t flags, int64_t deadline) const;

    std::shared_ptr<const DrmNode> node_;
    uint32_t handle_;
};

// A point of a timeline. It stays valid after the client has destroyed its timeline object.
struct SyncPoint {
    std::shared_ptr<Syncobj> timeline;
    uint32_t timeline_id; // the wp_linux_drm_syncobj_timeline_v1
    uint64_t value;
};

} // namespace fencebridge::test
