// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "ioctl/sync_file.hpp"
#include "util/fd.hpp"
#include "util/trace.hpp"

namespace fencebridge::sync {

/// Records a wait on the CPU for a sync_file, with the names of its first fence.
class TracedWait {
public:
    explicit TracedWait(const Fd& sync_file) : span_(trace::event::wait, "fence") {
        if (span_.is_traced() && ioctl::query_fences(sync_file, std::span(&fence_, 1)) == 1)
            span_.set_fence(fence_.driver.data(), fence_.timeline.data());
    }

private:
    ioctl::FenceInfo fence_; // destroyed after the span, which has references to it
    trace::Span span_;
};

} // namespace fencebridge::sync
