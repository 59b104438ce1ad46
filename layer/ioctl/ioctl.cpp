// SPDX-License-Identifier: MIT
#include "ioctl/ioctl.hpp"

#include <cerrno>
#include <cstring>
#include <sys/ioctl.h>

namespace fencebridge::ioctl {

std::string text(Errno error) {
    const char* known = ::strerrordesc_np(static_cast<int>(error));
    return known != nullptr ? known : "error " + std::to_string(static_cast<int>(error));
}

bool means_unsupported(Errno error) {
    // Upstream kernels return ENOTTY; vendor kernels and sandboxes return other errors.
    return error != Errno{ENOMEM} && error != Errno{EMFILE} && error != Errno{ENFILE};
}

std::expected<void, Errno> retry_ioctl(const Fd& fd, unsigned long request, void* argument) {
    // As libdrm's drmIoctl(): EINTR and EAGAIN are not results, so the call is repeated.
    while (::ioctl(fd.get(), request, argument) != 0) {
        if (errno != EINTR && errno != EAGAIN)
            return std::unexpected(Errno{errno});
    }
    return {};
}

std::expected<bool, Errno> retry_poll(std::span<pollfd> requests, const Deadline& deadline) {
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

} // namespace fencebridge::ioctl
