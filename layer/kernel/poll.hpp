// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <expected>
#include <poll.h>
#include <span>

#include "kernel/ioctl.hpp"
#include "util/deadline.hpp"

namespace fencebridge::kernel {

/// ppoll(2) until something is ready or the deadline has passed. False: it has.
[[nodiscard]] inline std::expected<bool, Errno> poll(std::span<pollfd> requests,
                                                     const Deadline& deadline) {
    for (;;) {
        const auto timeout = deadline.remaining();
        const int ready =
            ::ppoll(requests.data(), requests.size(), timeout ? &*timeout : nullptr, nullptr);
        if (ready >= 0)
            return ready > 0;
        if (errno != EINTR && errno != EAGAIN)
            return std::unexpected(Errno{errno});
    }
}

} // namespace fencebridge::kernel
