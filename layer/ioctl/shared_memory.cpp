// SPDX-License-Identifier: MIT
#include "ioctl/shared_memory.hpp"

#include <cerrno>
#include <cstdint>
#include <drm.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace fencebridge::ioctl {

std::expected<Fd, Errno> create_udmabuf(const Fd& device, const Fd& memfd, size_t size) {
    udmabuf_create argument = {
        .memfd = static_cast<uint32_t>(memfd.get()),
        .flags = UDMABUF_FLAGS_CLOEXEC,
        .offset = 0,
        .size = size,
    };
    // Not retry_ioctl(): the result is the descriptor.
    for (;;) {
        const int fd = ::ioctl(device.get(), UDMABUF_CREATE, &argument);
        if (fd >= 0)
            return Fd(fd);
        if (errno != EINTR && errno != EAGAIN)
            return std::unexpected(Errno{errno});
    }
}

std::expected<Fd, Errno> allocate_from_heap(const Fd& heap, size_t size) {
    dma_heap_allocation_data argument = {
        .len = size,
        .fd = 0,
        .fd_flags = O_RDWR | O_CLOEXEC,
        .heap_flags = 0,
    };
    if (auto done = retry_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &argument); !done)
        return std::unexpected(done.error());
    return Fd(static_cast<int>(argument.fd));
}

std::expected<Fd, Errno> allocate_dumb_buffer(const std::string& node, size_t size) {
    const Fd device(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (!device)
        return std::unexpected(Errno{errno});
    // Fails if another process is the master, as usual.
    static_cast<void>(::ioctl(device.get(), DRM_IOCTL_DROP_MASTER, 0));

    // Rows of one page of most machines. What the image's rows are, the window system learns from
    // the layer.
    constexpr uint32_t row_bytes = 4096;
    drm_mode_create_dumb dumb = {
        .height = static_cast<uint32_t>((size + row_bytes - 1) / row_bytes),
        .width = row_bytes / 4,
        .bpp = 32,
        .flags = 0,
        .handle = 0,
        .pitch = 0,
        .size = 0,
    };
    if (auto done = retry_ioctl(device, DRM_IOCTL_MODE_CREATE_DUMB, &dumb); !done)
        return std::unexpected(done.error());
    // The handle ends with the descriptor of the node; the dma-buf stays.
    drm_prime_handle exported = {.handle = dumb.handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
    if (auto done = retry_ioctl(device, DRM_IOCTL_PRIME_HANDLE_TO_FD, &exported); !done)
        return std::unexpected(done.error());
    if (dumb.size < size) {
        ::close(exported.fd);
        return std::unexpected(Errno{EINVAL});
    }
    return Fd(exported.fd);
}

} // namespace fencebridge::ioctl
