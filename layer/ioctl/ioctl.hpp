// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <poll.h>
#include <span>
#include <string>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// The value of errno after a failed system call.
enum class Errno : int {};

/// The C library's description of an error, or the number if the C library has none. Only the
/// kernel knows errors such as ENOTSUPP (524), which drivers return by mistake.
[[nodiscard]] std::string text(Errno error);

/// Whether a failure means that this kernel, file or sandbox does not support the call. ENOMEM,
/// EMFILE and ENFILE do not: they are transient.
[[nodiscard]] bool means_unsupported(Errno error);

/// ioctl(2), repeated on EINTR and EAGAIN, as libdrm's drmIoctl() does.
/// @param argument  the request's struct
[[nodiscard]] std::expected<void, Errno> retry_ioctl(const Fd& fd, unsigned long request,
                                                     void* argument);

/// ppoll(2) until a descriptor is ready or the deadline has passed, repeated while a signal
/// interrupts it.
/// @return false: the deadline has passed
[[nodiscard]] std::expected<bool, Errno> retry_poll(std::span<pollfd> requests,
                                                    const Deadline& deadline);

} // namespace fencebridge::ioctl
