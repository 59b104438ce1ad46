// SPDX-License-Identifier: MIT
#include "kernel/ioctl.hpp"

#include <cerrno>
#include <cstring>
#include <sys/ioctl.h>

namespace fencebridge::kernel {

std::string text(Errno error) {
    const char* known = ::strerrordesc_np(static_cast<int>(error));
    return known != nullptr ? known : "error " + std::to_string(static_cast<int>(error));
}

bool means_unsupported(Errno error) {
    // ENOTTY is upstream's answer; vendor trees and sandboxes have others.
    return error != Errno{ENOMEM} && error != Errno{EMFILE} && error != Errno{ENFILE};
}

std::expected<void, Errno> retry_ioctl(const Fd& fd, unsigned long request, void* argument) {
    // As libdrm's drmIoctl(): a signal, or a lock that a dying process holds, is no answer.
    while (::ioctl(fd.get(), request, argument) != 0) {
        if (errno != EINTR && errno != EAGAIN)
            return std::unexpected(Errno{errno});
    }
    return {};
}

} // namespace fencebridge::kernel
