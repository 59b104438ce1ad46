// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "core/modifier_choice.hpp"
#include "util/locked.hpp"
#include "wayland/proxy.hpp"

namespace fencebridge::wayland {

/// What the compositor takes for a surface, kept up to date by events: the surface's own feedback
/// (zwp_linux_dmabuf_v1 version 4).
class DmabufFeedback {
public:
    /// Starts to listen.
    /// @param dmabuf  of version 4, on the queue that dispatches
    DmabufFeedback(zwp_linux_dmabuf_v1* dmabuf, wl_surface* surface);
    ~DmabufFeedback();
    DmabufFeedback(const DmabufFeedback&) = delete;
    DmabufFeedback& operator=(const DmabufFeedback&) = delete;

    /// Whether it listens; not if memory was out.
    [[nodiscard]] explicit operator bool() const { return feedback_ != nullptr; }

    /// The last complete one. Null before the first.
    [[nodiscard]] std::shared_ptr<const core::DmabufFeedback> current() const;

private:
    struct Handlers;
    /// The compositor's table of formats, mapped.
    class Table;

    void publish();

    Proxy<zwp_linux_dmabuf_feedback_v1> feedback_;

    // Only the dispatching thread:
    std::unique_ptr<Table> table_;
    core::Tranche tranche_;
    core::DmabufFeedback pending_;

    Locked<std::shared_ptr<const core::DmabufFeedback>> current_;
};

} // namespace fencebridge::wayland
