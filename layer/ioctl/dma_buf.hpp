// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <optional>
#include <poll.h>
#include <span>
#include <string_view>
#include <utility>

#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

namespace fencebridge::ioctl {

/// Exports the fences that a *writer* must wait for: all that readers and writers have attached to
/// the dma-buf so far. DMA_BUF_IOCTL_EXPORT_SYNC_FILE, Linux 6.0.
/// @return a sync_file; or the error, ENOTTY where the kernel lacks the ioctl
[[nodiscard]] std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf);

/// Attaches a sync_file's fences to the dma-buf as a writer's: all later readers and writers wait
/// for them. DMA_BUF_IOCTL_IMPORT_SYNC_FILE, Linux 6.0.
[[nodiscard]] std::expected<void, Errno> import_sync_file(const Fd& dma_buf, const Fd& sync_file);

/// The CPU begins to read a mapping of the dma-buf (DMA_BUF_IOCTL_SYNC). Waits for the fences of
/// writers. Does nothing for memory that is no dma-buf: the CPU and other processes see the same.
[[nodiscard]] std::expected<void, Errno> begin_reading(const Fd& dma_buf);
[[nodiscard]] std::expected<void, Errno> end_reading(const Fd& dma_buf);

/// Looks for a dma-buf without pending fences, which a writer may use (poll(2),
/// drivers/dma-buf/dma-buf.c). Does not wait.
/// @param dma_bufs  1 to core::max_images; `fd` is given. If no such dma-buf is found, sets
///                  `events` to what to poll for before the next look.
/// @return the position of the first such dma-buf
[[nodiscard]] std::expected<std::optional<size_t>, Errno> find_writable(std::span<pollfd> dma_bufs);

/// Whether find_writable() is safe on this kernel. From Linux 5.16 on, closing a polled dma-buf is
/// safe. Before that, a poll with a pending fence leaves a callback in the dma-buf, and
/// dma_buf_release() has a BUG_ON() for it (drivers/dma-buf/dma-buf.c): the last descriptor must
/// not be closed before the fence has signalled.
[[nodiscard]] bool polling_is_safe();

/// Whether a kernel's release, as uname(2) gives it ("6.1.0-21-amd64"), is this version or later. A
/// release that cannot be parsed is earlier.
[[nodiscard]] constexpr bool is_at_least(std::string_view release, unsigned major, unsigned minor) {
    const auto number = [&]() -> unsigned {
        unsigned value = 0;
        while (!release.empty() && release.front() >= '0' && release.front() <= '9') {
            value = value * 10 + static_cast<unsigned>(release.front() - '0');
            release.remove_prefix(1);
        }
        if (!release.empty())
            release.remove_prefix(1);
        return value;
    };
    const unsigned found_major = number();
    const unsigned found_minor = number();
    return std::pair(found_major, found_minor) >= std::pair(major, minor);
}

} // namespace fencebridge::ioctl
