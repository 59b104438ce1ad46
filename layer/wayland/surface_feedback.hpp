// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "util/locked.hpp"
#include "wayland/dmabuf_formats.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// The formats and modifiers of the dma-bufs that the compositor imports for a surface, kept up to
/// date by events (zwp_linux_dmabuf_feedback_v1, from version 4 of zwp_linux_dmabuf_v1 on).
class SurfaceFeedback {
public:
    /// @param dmabuf  of version 4 or later, on the queue that dispatches the events
    SurfaceFeedback(zwp_linux_dmabuf_v1* dmabuf, wl_surface* surface);
    ~SurfaceFeedback();
    SurfaceFeedback(const SurfaceFeedback&) = delete;
    SurfaceFeedback& operator=(const SurfaceFeedback&) = delete;

    /// False if memory for the request could not be allocated.
    [[nodiscard]] explicit operator bool() const { return feedback_ != nullptr; }

    /// Whether the last update was ignored because memory could not be allocated.
    [[nodiscard]] bool out_of_memory() const { return out_of_memory_; }

    /// The last complete feedback. Null before the first.
    [[nodiscard]] std::shared_ptr<const DmabufFormats> current() const;
    /// The number of complete feedbacks so far. A larger number means that current() has a newer
    /// one. Cheaper than current(): takes no lock.
    [[nodiscard]] uint64_t count() const { return count_.load(); }

private:
    struct Handlers;
    /// The compositor's table of formats, mapped.
    class Table;

    void publish();

    Proxy<zwp_linux_dmabuf_feedback_v1> feedback_;

    // Used by the dispatching thread only:
    std::unique_ptr<Table> table_;
    Tranche tranche_;
    DmabufFormats pending_;
    bool table_lost_ = false;
    bool lost_ = false; ///< a part of the pending feedback is missing
    bool out_of_memory_ = false;

    Locked<std::shared_ptr<const DmabufFormats>> current_;
    std::atomic<uint64_t> count_ = 0; ///< incremented after current_ has changed
};

} // namespace fencebridge::wayland
