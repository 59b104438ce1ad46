// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <expected>
#include <optional>

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

/// When a sync_file signalled, on the monotonic clock, as the kernel has recorded it
/// (SYNC_IOC_FILE_INFO). The latest time, if it has several fences.
/// @return nothing: it has not signalled. The clock's start: the kernel does not know when it did
[[nodiscard]] std::expected<std::optional<std::chrono::steady_clock::time_point>, Errno>
signal_time(const Fd& sync_file);

} // namespace fencebridge::ioctl
