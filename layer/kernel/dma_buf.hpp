// SPDX-License-Identifier: MIT
#pragma once

#include <expected>

#include "kernel/ioctl.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace fencebridge::kernel {

/// Snapshots what a *writer* must wait for: every fence, of readers and writers, that is on the
/// dma-buf now. DMA_BUF_IOCTL_EXPORT_SYNC_FILE, Linux 6.0.
/// @return a sync_file, or the error: ENOTTY where the kernel lacks the ioctl
[[nodiscard]] std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf);

/// Attaches a sync_file's fences to the dma-buf as a writer's, for all later readers and writers to
/// wait for. DMA_BUF_IOCTL_IMPORT_SYNC_FILE, Linux 6.0.
[[nodiscard]] std::expected<void, Errno> import_sync_file(const Fd& dma_buf, const Fd& sync_file);

/// Waits on the CPU until the fences on a dma-buf let a writer in (poll(2) POLLOUT,
/// drivers/dma-buf/dma-buf.c). False: the deadline passed first.
[[nodiscard]] std::expected<bool, Errno> wait_writable(const Fd& dma_buf, const Deadline& deadline);

/// Waits on the CPU until a sync_file has signalled (POLLIN, drivers/dma-buf/sync_file.c).
[[nodiscard]] std::expected<bool, Errno> wait_signalled(const Fd& sync_file,
                                                        const Deadline& deadline);

} // namespace fencebridge::kernel
