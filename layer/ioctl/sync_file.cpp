// SPDX-License-Identifier: MIT
#include "ioctl/sync_file.hpp"

#include <cerrno>
#include <linux/sync_file.h>

namespace fencebridge::ioctl {

std::expected<bool, Errno> wait_signalled(const Fd& sync_file, const Deadline& deadline) {
    // A sync_file is readable once its fence has signalled, also with an error.
    pollfd request{.fd = sync_file.get(), .events = POLLIN, .revents = 0};
    const auto ready = retry_poll(std::span(&request, 1), deadline);
    if (ready && *ready && (request.revents & POLLNVAL))
        return std::unexpected(Errno{EBADF});
    return ready;
}

std::expected<Fd, Errno> merge(const Fd& one, const Fd& other) {
    sync_merge_data argument = {.name = "fencebridge", .fd2 = other.get(), .fence = -1};
    if (auto done = retry_ioctl(one, SYNC_IOC_MERGE, &argument); !done)
        return std::unexpected(done.error());
    return Fd(argument.fence);
}

} // namespace fencebridge::ioctl
