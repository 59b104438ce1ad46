// SPDX-License-Identifier: MIT
#include "kernel/dma_buf.hpp"

#include <array>
#include <cerrno>
#include <dma_buf_sync_file.h>
#include <poll.h>
#include <sys/utsname.h>

#include "core/surface_limits.hpp"
#include "kernel/poll.hpp"
#include "util/kernel_release.hpp"

namespace fencebridge::kernel {

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

std::expected<std::optional<size_t>, Errno> wait_any_writable(std::span<const int> dma_bufs,
                                                              const Deadline& deadline) {
    // Asked for POLLOUT, kernels before 5.17 overlook the writer's fence where there are readers'
    // beside it; asked for POLLIN alone, all look at that one. Hence two entries for each.
    std::array<pollfd, 2 * core::max_images> requests;
    const auto used = std::span(requests).first(2 * dma_bufs.size());
    for (size_t i = 0; i < dma_bufs.size(); ++i) {
        used[2 * i] = {.fd = dma_bufs[i], .events = POLLIN, .revents = 0};
        used[2 * i + 1] = {.fd = dma_bufs[i], .events = POLLOUT, .revents = 0};
    }
    for (;;) {
        const auto ready = poll(used, deadline);
        if (!ready)
            return std::unexpected(ready.error());
        if (!*ready)
            return std::nullopt;
        for (pollfd& one : used) {
            if (one.revents & POLLNVAL)
                return std::unexpected(Errno{EBADF});
            if (one.revents != 0)
                one.fd = -1; // seen; poll() passes it over
        }
        for (size_t i = 0; i < dma_bufs.size(); ++i) {
            if (used[2 * i].fd < 0 && used[2 * i + 1].fd < 0)
                return i;
        }
    }
}

bool looking_is_safe() {
    utsname name;
    return ::uname(&name) == 0 && is_at_least(name.release, 5, 16);
}

} // namespace fencebridge::kernel
