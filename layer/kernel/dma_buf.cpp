// SPDX-License-Identifier: MIT
#include "kernel/dma_buf.hpp"

#include <cerrno>
#include <dma_buf_sync_file.h>
#include <poll.h>

namespace fencebridge::kernel {

namespace {

std::expected<bool, Errno> wait(const Fd& fd, short events, const Deadline& deadline) {
    for (;;) {
        pollfd request{fd.get(), events, 0};
        const auto timeout = deadline.remaining();
        const int ready = ::ppoll(&request, 1, timeout ? &*timeout : nullptr, nullptr);
        if (ready < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (ready < 0)
            return std::unexpected(Errno{errno});
        if (ready == 0)
            return false;
        if (request.revents & POLLNVAL)
            return std::unexpected(Errno{EBADF});
        // POLLERR is a fence that signalled with an error: it has signalled.
        return true;
    }
}

} // namespace

std::expected<Fd, Errno> export_sync_file(const Fd& dma_buf) {
    fencebridge_dma_buf_export argument{.flags = FENCEBRIDGE_DMA_BUF_WRITE, .fd = -1};
    if (auto done = retry_ioctl(dma_buf, FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &argument); !done)
        return std::unexpected(done.error());
    return Fd(argument.fd);
}

std::expected<void, Errno> import_sync_file(const Fd& dma_buf, const Fd& sync_file) {
    fencebridge_dma_buf_import argument{.flags = FENCEBRIDGE_DMA_BUF_WRITE, .fd = sync_file.get()};
    return retry_ioctl(dma_buf, FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, &argument);
}

std::expected<bool, Errno> wait_writable(const Fd& dma_buf, const Deadline& deadline) {
    return wait(dma_buf, POLLOUT, deadline);
}

std::expected<bool, Errno> wait_signalled(const Fd& sync_file, const Deadline& deadline) {
    return wait(sync_file, POLLIN, deadline);
}

} // namespace fencebridge::kernel
