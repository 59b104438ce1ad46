// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>

#include "kernel/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::kernel {

/// Snapshots what a *writer* must wait for: every fence, of readers and writers, that is on the
/// dma-buf now. DMA_BUF_IOCTL_EXPORT_SYNC_FILE, Linux 6.0.
/// @return a sync_file, or the error: ENOTTY where the kernel lacks the ioctl
[[nodiscard]] std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf);

/// Attaches a sync_file's fences to the dma-buf as a writer's, for all later readers and writers to
/// wait for. DMA_BUF_IOCTL_IMPORT_SYNC_FILE, Linux 6.0.
[[nodiscard]] std::expected<void, Errno> import_sync_file(const Fd& dma_buf, const Fd& sync_file);

/// Looks for a dma-buf whose fences let a writer in (poll(2), drivers/dma-buf/dma-buf.c). Does not
/// wait.
/// @param dma_bufs  1 to core::max_images; `fd` is given. If nothing is returned, `events` is set
///                  to what to poll for before the next look.
/// @return the position of the first such dma-buf
[[nodiscard]] std::expected<std::optional<size_t>, Errno> find_writable(std::span<pollfd> dma_bufs);

/// Whether that leaves nothing behind. Before Linux 5.16 it does while a fence is pending, and
/// dma_buf_release() has a BUG_ON() for it (drivers/dma-buf/dma-buf.c): the dma-buf must not be
/// closed by all before the fence has signalled.
[[nodiscard]] bool looking_is_safe();

} // namespace fencebridge::kernel
