// SPDX-License-Identifier: MIT
#pragma once

#include <expected>

#include "ioctl/ioctl.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// Waits on the CPU until a sync_file has signalled (POLLIN, drivers/dma-buf/sync_file.c), at most
/// until the deadline.
/// @return false: the deadline has passed
[[nodiscard]] std::expected<bool, Errno> wait_signalled(const Fd& sync_file,
                                                        const Deadline& deadline);

/// Merges two sync_files into one that signals when both have signalled (SYNC_IOC_MERGE).
[[nodiscard]] std::expected<Fd, Errno> merge(const Fd& one, const Fd& other);

} // namespace fencebridge::ioctl
