// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <string>

#include "util/fd.hpp"

namespace fencebridge::kernel {

/// The value of errno after a failed system call.
enum class Errno : int {};

/// What the C library says of it; its number for those that only the kernel knows, such as
/// ENOTSUPP (524), which drivers return by mistake.
[[nodiscard]] std::string text(Errno error);

/// Whether a failure means that this kernel, file or sandbox does not have or give what was asked
/// for, as opposed to a passing one: ENOMEM, EMFILE, ENFILE.
[[nodiscard]] bool means_unsupported(Errno error);

/// ioctl(2), again as long as a signal interrupts it.
/// @param argument  the request's struct
[[nodiscard]] std::expected<void, Errno> retry_ioctl(const Fd& fd, unsigned long request,
                                                     void* argument);

} // namespace fencebridge::kernel
