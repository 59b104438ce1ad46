// SPDX-License-Identifier: MIT
// Stands in for /dev/udmabuf, for a process on a machine without that device (LD_PRELOAD).
//
// lavapipe exports memory as a dma-buf that it makes of a memfd by UDMABUF_CREATE. Without the
// device it offers no DRM format modifiers, and Venus in the guest has none to offer either. QEMU,
// virglrenderer and lavapipe are one process here, and use such a "dma-buf" in three ways: they map
// it, pass its descriptor to each other, and ask for its fences. A memfd can be mapped and passed
// on as it is. It has no fences: lavapipe's work has ended before a fence is asked for, so every
// request is answered by a file that has signalled.
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char device[] = "/dev/udmabuf";

static int open_path(int folder, const char* path, int flags, mode_t mode) {
    if (strcmp(path, device) == 0)
        return memfd_create(device, (flags & O_CLOEXEC) ? MFD_CLOEXEC : 0);
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

static mode_t mode_of(int flags, va_list args) {
    const int has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;

    return has_mode ? va_arg(args, mode_t) : 0;
}

int open(const char* path, int flags, ...) {
    va_list args;

    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_path(AT_FDCWD, path, flags, mode);
}

// off_t has 64 bits anyway.
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

// What the C library's headers call in programs that are built with _FORTIFY_SOURCE.
int __open_2(const char* path, int flags) { return open_path(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) __attribute__((alias("__open_2")));

static int create(const struct udmabuf_create* request) {
    if (request->offset != 0) { // the memfd alone cannot stand for a part of itself
        errno = EINVAL;
        return -1;
    }
    return fcntl((int)request->memfd, F_DUPFD_CLOEXEC, 0);
}

static int export_sync_file(struct dma_buf_export_sync_file* request) {
    request->fd = eventfd(1, EFD_CLOEXEC); // readable for ever, as a sync_file that has signalled
    return request->fd < 0 ? -1 : 0;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list args;

    va_start(args, request);
    void* const argument = va_arg(args, void*);
    va_end(args);
    if ((unsigned int)request == (unsigned int)UDMABUF_CREATE)
        return create(argument);
    const int result = (int)syscall(SYS_ioctl, fd, request, argument);
    if (result == 0 || errno != ENOTTY)
        return result;
    switch ((unsigned int)request) { // a memfd knows no ioctl of a dma-buf
    case (unsigned int)DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
        return export_sync_file(argument);
    case (unsigned int)DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
    case (unsigned int)DMA_BUF_IOCTL_SYNC:
        return 0;
    default:
        return result;
    }
}
