// SPDX-License-Identifier: MIT
/*
 * An LD_PRELOAD library that provides DMA_BUF_IOCTL_EXPORT_SYNC_FILE and
 * DMA_BUF_IOCTL_IMPORT_SYNC_FILE to unmodified programs on kernels that lack them, by way of
 * /dev/fencebridge. The manual page beside this file is for its users.
 *
 * All of it runs inside an ioctl() of another program. Therefore:
 *   - It is async-signal-safe.
 *   - It is no cancellation point. open(), read(), write() and close() are; syscall() is not.
 *   - It accesses the program's memory through the kernel only.
 *   - It keeps no file open: a program may fork, or close every file descriptor that it finds,
 *     between any two calls.
 *
 * <sys/ioctl.h> is not included: glibc and musl declare ioctl() with different types, and glibc's
 * declaration may rename it (see HAVE_IOCTL_TIME64).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "dma_buf_sync_file.h"
#include "fencebridge.h"

// On systems where time_t has 32 bits by default, glibc has another name for ioctl() in programs
// that chose a 64 bit time_t.
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32
#define HAVE_IOCTL_TIME64
#endif

// The request has the widest type that a libc uses for it, so the caller's value reaches the next
// ioctl() unchanged.
typedef int ioctl_function(int fd, unsigned long request, ...);

struct entry_point {
    const char* name;
    _Atomic(ioctl_function*) next;
};

// FENCEBRIDGE_PRELOAD=module
static atomic_bool module_forced;

// Returns the next definition of the function. Calls before the constructor has run, and calls that
// run at the same time as the first, look it up again. All find the same definition.
static ioctl_function* next_of(struct entry_point* entry) {
    ioctl_function* next = atomic_load_explicit(&entry->next, memory_order_relaxed);
    if (!next) {
        next = __extension__(ioctl_function*) dlsym(RTLD_NEXT, entry->name);
        atomic_store_explicit(&entry->next, next, memory_order_relaxed);
    }
    return next;
}

static void close_keeping_errno(int fd) {
    const int error = errno;
    syscall(SYS_close, fd);
    errno = error;
}

/*
 * memcpy() for the case that one side is the program's memory and may be unmapped. The kernel makes
 * the access through a pipe, and returns EFAULT for unmapped memory, as it does for an ioctl of its
 * own. A direct access would kill the process. A pipe is used because it always exists:
 * process_vm_readv(2) needs no file descriptor, but some kernels are built without it and some
 * containers forbid it.
 */
static int checked_copy(void* to, const void* from, size_t size) {
    int ends[2];
    if (syscall(SYS_pipe2, ends, O_CLOEXEC) != 0)
        return -1;
    const bool copied = syscall(SYS_write, ends[1], from, size) == (long)size &&
                        syscall(SYS_read, ends[0], to, size) == (long)size;
    close_keeping_errno(ends[0]);
    close_keeping_errno(ends[1]);
    return copied ? 0 : -1;
}

static int export_by_module(ioctl_function* next, int device, int dma_buf, void* argument) {
    struct fencebridge_dma_buf_export asked;
    if (checked_copy(&asked, argument, sizeof(asked)) != 0)
        return -1;
    // FENCEBRIDGE_NONE_IF_IDLE exists in the module only. The kernel would return EINVAL for it, as
    // the module does for no flags at all.
    const __u32 flags = asked.flags & FENCEBRIDGE_NONE_IF_IDLE ? 0 : asked.flags;
    struct fencebridge_export call = {.flags = flags, .dma_buf_fd = dma_buf};
    if (next(device, FENCEBRIDGE_IOCTL_EXPORT, &call) != 0)
        return -1;
    asked.fd = call.sync_file_fd;
    if (checked_copy(argument, &asked, sizeof(asked)) != 0) {
        // The program does not know the descriptor, so it has to be closed here.
        close_keeping_errno(call.sync_file_fd);
        return -1;
    }
    return 0;
}

static int import_by_module(ioctl_function* next, int device, int dma_buf, const void* argument) {
    struct fencebridge_dma_buf_import asked;
    if (checked_copy(&asked, argument, sizeof(asked)) != 0)
        return -1;
    struct fencebridge_import call = {
        .flags = asked.flags, .dma_buf_fd = dma_buf, .sync_file_fd = asked.fd};
    return next(device, FENCEBRIDGE_IOCTL_IMPORT, &call);
}

static int by_module(ioctl_function* next, int dma_buf, unsigned int request, void* argument) {
    const int device = (int)syscall(SYS_openat, AT_FDCWD, FENCEBRIDGE_DEVICE, O_RDWR | O_CLOEXEC);
    if (device < 0) {
        // A lack of resources will pass. Any other error means that there is no module, and the
        // program sees a kernel that lacks the ioctl.
        if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
            errno = ENOTTY;
        return -1;
    }
    const int result = request == FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT
                           ? export_by_module(next, device, dma_buf, argument)
                           : import_by_module(next, device, dma_buf, argument);
    close_keeping_errno(device);
    return result;
}

// Dma-bufs have had a file system of their own since Linux 5.3. The module supports no older
// kernel.
static bool is_dma_buf(int fd) {
    struct statfs file_system;
    return fstatfs(fd, &file_system) == 0 && file_system.f_type == DMA_BUF_MAGIC;
}

static int sync_file_ioctl(ioctl_function* next, int fd, unsigned long request, void* argument) {
    const int errno_before = errno;
    if (!atomic_load_explicit(&module_forced, memory_order_relaxed) || !is_dma_buf(fd)) {
        errno = errno_before;
        const int result = next(fd, request, argument);
        // Only ENOTTY means that the kernel lacks the ioctl. EINVAL comes from a kernel that has
        // the ioctl and rejects its flags.
        if (result != -1 || errno != ENOTTY)
            return result;
        // Other drivers use the same request numbers for other purposes.
        if (!is_dma_buf(fd)) {
            errno = ENOTTY;
            return -1;
        }
    }
    const int result = by_module(next, fd, (unsigned int)request, argument);
    if (result == 0)
        errno = errno_before;
    return result;
}

static int intercept(struct entry_point* entry, int fd, unsigned long request, void* argument) {
    ioctl_function* next = next_of(entry);
    // The kernel uses 32 bits of the request. If its type is int, the rest may be a sign extension.
    switch ((unsigned int)request) {
    case FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT:
    case FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT:
        return sync_file_ioctl(next, fd, request, argument);
    default:
        return next(fd, request, argument);
    }
}

static struct entry_point plain = {.name = "ioctl"};

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return intercept(&plain, fd, request, argument);
}

#ifdef HAVE_IOCTL_TIME64
static struct entry_point time64 = {.name = "__ioctl_time64"};

__attribute__((visibility("default"))) int __ioctl_time64(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return intercept(&time64, fd, request, argument);
}
#endif

// dlsym() and secure_getenv() must not be called from signal handlers, so this constructor calls
// them before any handler can run.
__attribute__((constructor)) static void prepare(void) {
    const char* wish = secure_getenv("FENCEBRIDGE_PRELOAD");
    atomic_store_explicit(&module_forced, wish && strcmp(wish, "module") == 0,
                          memory_order_relaxed);
    next_of(&plain);
#ifdef HAVE_IOCTL_TIME64
    next_of(&time64);
#endif
}
