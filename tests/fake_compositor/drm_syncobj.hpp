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
    // The first one of the machine; null where there is none.
    static std::shared_ptr<const DrmNode> find();

    int fd() const { return fd_.get(); }

private:
    explicit DrmNode(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
};

// One handle of a timeline syncobj; keeps its node open.
class Syncobj {
public:
    // Null where the kernel refuses.
    static std::shared_ptr<Syncobj> make(std::shared_ptr<const DrmNode> node);
    static std::shared_ptr<Syncobj> import(std::shared_ptr<const DrmNode> node, int fd);
    ~Syncobj();
    Syncobj(const Syncobj&) = delete;
    Syncobj& operator=(const Syncobj&) = delete;

    // A descriptor of the syncobj itself, for another process or node to import.
    Fd share() const;

    // A point has a fence once its signal has been arranged for ("materialised"), and it has
    // signalled once that fence has.
    bool has_fence(uint64_t point) const;
    bool signalled(uint64_t point) const;
    // Blocks until the point has signalled, with or without a fence now; false when the time ran
    // out first.
    bool wait(uint64_t point, std::chrono::milliseconds timeout) const;

    bool signal(uint64_t point);
    // The point signals when the sync_file does.
    bool put(uint64_t point, const Fd& sync_file);

    // How many there are in this process.
    static size_t live();

private:
    Syncobj(std::shared_ptr<const DrmNode> node, uint32_t handle);
    bool wait_until(uint64_t point, uint32_t flags, int64_t deadline) const;

    std::shared_ptr<const DrmNode> node_;
    uint32_t handle_;
};

// One point, which stays good after the client has destroyed its timeline object.
struct SyncPoint {
    std::shared_ptr<Syncobj> timeline;
    uint32_t timeline_id; // the wp_linux_drm_syncobj_timeline_v1
    uint64_t value;
};

} // namespace fencebridge::test
