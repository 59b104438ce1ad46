// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

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

/// What the kernel knows of one fence of a sync_file.
struct FenceInfo {
    /// Null-terminated. Of a fence that has signalled, newer kernels say only "detached-driver" and
    /// "signaled-timeline" (drivers/dma-buf/dma-fence.c).
    std::array<char, 32> driver;
    std::array<char, 32> timeline;
    /// On the monotonic clock; nothing: it has not signalled. The clock's start: not known.
    std::optional<std::chrono::steady_clock::time_point> signalled;
};

/// The fences of a sync_file (SYNC_IOC_FILE_INFO), in the kernel's order. Those that have signalled
/// may be missing later: then others have their places.
/// @param fences  filled in from the start
/// @return the number of those that were filled in; none: the sync_file has more than 64, or the
///         kernel does not know
[[nodiscard]] size_t query_fences(const Fd& sync_file, std::span<FenceInfo> fences);

/// Whether the fence at one place may be the one that was there before: the names are the same, or
/// those of any fence that has signalled.
[[nodiscard]] bool may_be_same(const FenceInfo& before, const FenceInfo& now);

} // namespace fencebridge::ioctl
