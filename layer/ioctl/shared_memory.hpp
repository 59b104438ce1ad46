// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "ioctl/ioctl.hpp"
#include "util/fd.hpp"

// Dma-bufs that the kernel makes for anybody, without a driver of a GPU.

namespace fencebridge::ioctl {

/// Makes a dma-buf of a memfd's pages. UDMABUF_CREATE, Linux 4.20 (drivers/dma-buf/udmabuf.c).
/// @param device  an open /dev/udmabuf
/// @param memfd   with F_SEAL_SHRINK, and without F_SEAL_WRITE
/// @param size    in bytes, a multiple of the page size
[[nodiscard]] std::expected<Fd, Errno> create_udmabuf(const Fd& device, const Fd& memfd,
                                                      size_t size);

/// Allocates a dma-buf. DMA_HEAP_IOCTL_ALLOC, Linux 5.6 (drivers/dma-buf/dma-heap.c).
/// @param heap  an open file of /dev/dma_heap
/// @param size  in bytes; the kernel rounds up to pages
[[nodiscard]] std::expected<Fd, Errno> allocate_from_heap(const Fd& heap, size_t size);

/// Allocates a dumb buffer, memory that a display can show, and exports it as a dma-buf.
/// DRM_IOCTL_MODE_CREATE_DUMB (drivers/gpu/drm/drm_dumb_buffers.c).
///
/// The first process that opens the primary node becomes the display's master. This one gives that
/// up at once.
/// @param node  the path of a primary node
/// @param size  in bytes, at least
[[nodiscard]] std::expected<Fd, Errno> allocate_dumb_buffer(const std::string& node, size_t size);

} // namespace fencebridge::ioctl
