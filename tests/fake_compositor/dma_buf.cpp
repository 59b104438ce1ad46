// SPDX-License-Identifier: MIT
#include "dma_buf.hpp"

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace fencebridge::test {
namespace {

constexpr const char* sw_sync_path = "/sys/kernel/debug/sync/sw_sync";

// The interface of sw_sync is private to the kernel's drivers/dma-buf/sw_sync.c; no header has it.
struct SwSyncCreateFence {
    uint32_t value;
    char name[32];
    int32_t fence;
};
constexpr unsigned long sw_sync_create_fence = _IOWR('W', 0, SwSyncCreateFence);
constexpr unsigned long sw_sync_increment = _IOW('W', 1, uint32_t);

bool ready(int fd, short events) {
    pollfd request{fd, events, 0};
    return poll(&request, 1, 0) == 1 && (request.revents & events);
}

Fd export_sync_file(int dma_buf, uint32_t flags) {
    dma_buf_export_sync_file request{flags, -1};
    if (ioctl(dma_buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) != 0)
        return {};
    return Fd(request.fd);
}

bool import_sync_file(int dma_buf, int sync_file, uint32_t flags) {
    dma_buf_import_sync_file request{flags, sync_file};
    return ioctl(dma_buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request) == 0;
}

} // namespace

bool write_fences_signalled(int dma_buf) { return ready(dma_buf, POLLIN); }
bool all_fences_signalled(int dma_buf) { return ready(dma_buf, POLLOUT); }
bool sync_file_signalled(int sync_file) { return sync_file < 0 || ready(sync_file, POLLIN); }

Fd merge_sync_files(const Fd& one, const Fd& other) {
    sync_merge_data request{"fake_compositor", other.get(), -1, 0, 0};
    if (ioctl(one.get(), SYNC_IOC_MERGE, &request) != 0)
        return {};
    return Fd(request.fence);
}

Fd export_sync_file_for_read(int dma_buf) { return export_sync_file(dma_buf, DMA_BUF_SYNC_READ); }
Fd export_sync_file_for_write(int dma_buf) { return export_sync_file(dma_buf, DMA_BUF_SYNC_WRITE); }

bool attach_read_fence(int dma_buf, int sync_file) {
    return import_sync_file(dma_buf, sync_file, DMA_BUF_SYNC_READ);
}
bool attach_write_fence(int dma_buf, int sync_file) {
    return import_sync_file(dma_buf, sync_file, DMA_BUF_SYNC_WRITE);
}

FenceTimeline::FenceTimeline() : fd_(open(sw_sync_path, O_RDWR | O_CLOEXEC)) {}

bool FenceTimeline::available() { return access(sw_sync_path, R_OK | W_OK) == 0; }

Fd FenceTimeline::fence() {
    SwSyncCreateFence request{next_point_++, "fake_compositor", -1};
    if (ioctl(fd_.get(), sw_sync_create_fence, &request) != 0)
        return {};
    return Fd(request.fence);
}

void FenceTimeline::advance() {
    uint32_t by = 1;
    ioctl(fd_.get(), sw_sync_increment, &by);
}

} // namespace fencebridge::test
