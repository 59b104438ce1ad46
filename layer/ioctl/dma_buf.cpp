// SPDX-License-Identifier: MIT
#include "ioctl/dma_buf.hpp"

#include <array>
#include <cerrno>
#include <dma_buf_sync_file.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/utsname.h>

#include "core/surface_limits.hpp"

namespace fencebridge::ioctl {

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

namespace {

std::expected<void, Errno> synchronise(const Fd& dma_buf, uint64_t flags) {
    dma_buf_sync argument{.flags = flags};
    const auto done = retry_ioctl(dma_buf, DMA_BUF_IOCTL_SYNC, &argument);
    if (!done && done.error() == Errno{ENOTTY}) // not a dma-buf
        return {};
    return done;
}

} // namespace

std::expected<void, Errno> begin_reading(const Fd& dma_buf) {
    return synchronise(dma_buf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
}

std::expected<void, Errno> end_reading(const Fd& dma_buf) {
    return synchronise(dma_buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
}

std::expected<std::optional<size_t>, Errno> find_writable(std::span<pollfd> dma_bufs) {
    // Two entries for each dma-buf. For POLLOUT, kernels before 5.16 ignore the writer's fence if
    // there are readers' fences as well; for POLLIN alone, every kernel checks the writer's fence.
    std::array<pollfd, 2 * core::max_images> requests;
    const auto used = std::span(requests).first(2 * dma_bufs.size());
    for (size_t i = 0; i < dma_bufs.size(); ++i) {
        used[2 * i] = {.fd = dma_bufs[i].fd, .events = POLLIN, .revents = 0};
        used[2 * i + 1] = {.fd = dma_bufs[i].fd, .events = POLLOUT, .revents = 0};
    }
    if (const auto looked = retry_poll(used, Deadline::immediate()); !looked)
        return std::unexpected(looked.error());
    for (size_t i = 0; i < dma_bufs.size(); ++i) {
        const short in = used[2 * i].revents;
        const short out = used[2 * i + 1].revents;
        if ((in | out) & POLLNVAL)
            return std::unexpected(Errno{EBADF});
        if (in != 0 && out != 0)
            return i;
        constexpr short for_in = POLLIN;
        constexpr short for_out = POLLOUT;
        dma_bufs[i].events = in == 0 ? for_in : for_out;
        dma_bufs[i].revents = 0;
    }
    return std::nullopt;
}

bool polling_is_safe() {
    utsname name;
    return ::uname(&name) == 0 && is_at_least(name.release, 5, 16);
}

} // namespace fencebridge::ioctl
