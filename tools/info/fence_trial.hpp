// SPDX-License-Identifier: MIT
#pragma once

#include "info/facts.hpp"
#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::info {

/// What the error of a call says about the thing that was called.
/// @param what  the call or the file, for the detail
[[nodiscard]] Check check_of(const char* what, ioctl::Errno error);

/// Tries the kernel's ioctls on a dma-buf: exports its fences, and attaches them again.
[[nodiscard]] FenceOperations try_kernel_ioctls(const Fd& dma_buf);

} // namespace fencebridge::info
