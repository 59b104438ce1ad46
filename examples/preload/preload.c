// SPDX-License-Identifier: MIT
/*
 * An LD_PRELOAD library through which unmodified programs have DMA_BUF_IOCTL_EXPORT_SYNC_FILE and
 * DMA_BUF_IOCTL_IMPORT_SYNC_FILE on kernels that lack them, by way of /dev/fencebridge. The manual
 * page beside this file tells its users the rest.
 *
 * All of it happens inside an ioctl() of somebody else's program. So it is async-signal-safe and no
 * cancellation point (which open(), read(), write() and close() are, and syscall() is not), it
 * accesses the program's memory by the kernel alone, and it keeps nothing open: a program may fork,
 * or close every file descriptor that it finds, between any two calls.
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

// What glibc calls ioctl() for programs that chose a 64 bit time_t where it is 32 bits by default.
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32
#define HAVE_IOCTL_TIME64
#endif

// As wide as any libc's request: what the caller put there reaches the next ioctl() unchanged.
typedef int ioctl_function(int fd, unsigned long request, ...);

struct entry_point {
    const char* name;
    _Atomic(ioctl_function*) next;
};

// FENCEBRIDGE_PRELOAD=module
static atomic_bool module_forced;

// Callers that come before the constructor, or several at once, each look it up and find the same.
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
 * memcpy() where one side is the program's memory and may not be there: the kernel makes the access
 * and answers EFAULT, as it does for an ioctl of its own, where one of ours would kill the process.
 * The way through the kernel is a pipe because everybody has pipes. process_vm_readv(2) would need
 * no file descriptor, but some kernels are built without it and some containers forbid it.
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
    // A flag that the module has and the kernel has not is as wrong as none.
    const __u32 flags = asked.flags & FENCEBRIDGE_NONE_IF_IDLE ? 0 : asked.flags;
    struct fencebridge_export call = {.flags = flags, .dma_buf_fd = dma_buf};
    if (next(device, FENCEBRIDGE_IOCTL_EXPORT, &call) != 0)
        return -1;
    asked.fd = call.sync_file_fd;
    if (checked_copy(argument, &asked, sizeof(asked)) != 0) {
        // The program has not learnt the number, so nobody else would close it.
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
        // A shortage will pass. Anything else leaves the program with the kernel as it is.
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

// Dma-bufs have a file system of their own since Linux 5.3. The module is for none that is older.
static bool is_dma_buf(int fd) {
    struct statfs file_system;
    return fstatfs(fd, &file_system) == 0 && file_system.f_type == DMA_BUF_MAGIC;
}

static int sync_file_ioctl(ioctl_function* next, int fd, unsigned long request, void* argument) {
    const int errno_before = errno;
    if (!atomic_load_explicit(&module_forced, memory_order_relaxed) || !is_dma_buf(fd)) {
        errno = errno_before;
        const int result = next(fd, request, argument);
        // ENOTTY alone says that the kernel lacks the ioctl. EINVAL is about flags where it has it.
        if (result != -1 || errno != ENOTTY)
            return result;
        // Other drivers use the same numbers, for other things.
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
    // The kernel takes 32 bits of the request; where int is its type, more may come sign-extended.
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

// dlsym() and secure_getenv() are not for signal handlers, so none is the first to need them.
__attribute__((constructor)) static void prepare(void) {
    const char* wish = secure_getenv("FENCEBRIDGE_PRELOAD");
    atomic_store_explicit(&module_forced, wish && strcmp(wish, "module") == 0,
                          memory_order_relaxed);
    next_of(&plain);
#ifdef HAVE_IOCTL_TIME64
    next_of(&time64);
#endif
}
