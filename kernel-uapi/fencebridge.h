/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of the device /dev/fencebridge. They do what DMA_BUF_IOCTL_EXPORT_SYNC_FILE and
 * DMA_BUF_IOCTL_IMPORT_SYNC_FILE do on Linux 6.0 and later, for kernels without these ioctls.
 *
 * The device has no state. Each call receives the descriptors of the files that it works on. The
 * device grants nothing that newer kernels deny to a holder of these files.
 *
 * All structs have the same layout on 32-bit and 64-bit systems. A field @reserved must be zero, so
 * that later versions can define it. A call fails with EINVAL if a reserved field is not zero, or
 * if this version does not know a flag. A call that fails has no effect and does not write to its
 * argument. The exception is EFAULT: if copying the result to the argument fails, a part of the
 * result may have been written.
 *
 * docs/kernel.md describes the semantics of the calls, with examples.
 */
#ifndef FENCEBRIDGE_H
#define FENCEBRIDGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FENCEBRIDGE_DEVICE "/dev/fencebridge"

/* The version of this header. It rises with each addition. Later versions remain compatible. */
#define FENCEBRIDGE_VERSION 2

/*
 * The kind of access. For an export, it is the caller's next access. For an import, it is the
 * access that the fences stand for. A reader waits for earlier writers. A writer waits for earlier
 * readers and writers. The values are those of DMA_BUF_SYNC_READ and DMA_BUF_SYNC_WRITE in
 * <linux/dma-buf.h>.
 */
#define FENCEBRIDGE_READ 0x1
#define FENCEBRIDGE_WRITE 0x2
#define FENCEBRIDGE_RW (FENCEBRIDGE_READ | FENCEBRIDGE_WRITE)
/*
 * A flag of an export: if no fence is pending, set @sync_file_fd to -1 and create no sync_file.
 * Requires FENCEBRIDGE_FEATURE_NONE_IF_IDLE.
 */
#define FENCEBRIDGE_NONE_IF_IDLE 0x4

/**
 * struct fencebridge_query - query the version and the features of the module
 * @flags: in: must be zero; no flags are defined
 * @version: out: FENCEBRIDGE_VERSION of the header that the module was built with
 * @features: out: FENCEBRIDGE_FEATURE_* bits
 * @max_fences: out: the maximum number of pending fences, each of its own context (timeline), in an
 *              imported sync_file. Without FENCEBRIDGE_FEATURE_USAGE, an import also counts the
 *              fences of the dma-buf, and the maximum also applies to an export
 * @reserved: in: must be zero; out: zero
 *
 * The call ignores the previous values of @version, @features and @max_fences.
 *
 * Errors: EINVAL @flags or @reserved is not zero; EFAULT the argument cannot be accessed.
 */
struct fencebridge_query {
	__u32 flags;
	__u32 version;
	__u64 features;
	__u32 max_fences;
	__u32 reserved[3];
};

/* The device has FENCEBRIDGE_IOCTL_EXPORT. */
#define FENCEBRIDGE_FEATURE_EXPORT 0x1
/* The device has FENCEBRIDGE_IOCTL_IMPORT. */
#define FENCEBRIDGE_FEATURE_IMPORT 0x2
/*
 * The kernel stores the usage of each fence: kernel, write, read or bookkeep (enum dma_resv_usage,
 * Linux 5.19). Without this feature, the exclusive fence of the reservation object stands for
 * writers and its shared fences for readers. An export then includes fences that a driver attached
 * only for its own bookkeeping.
 */
#define FENCEBRIDGE_FEATURE_USAGE 0x4
/* FENCEBRIDGE_IOCTL_EXPORT has the flag FENCEBRIDGE_NONE_IF_IDLE. Since version 2. */
#define FENCEBRIDGE_FEATURE_NONE_IF_IDLE 0x8

/**
 * struct fencebridge_export - export the fences of a dma-buf as a sync_file
 * @flags: in: FENCEBRIDGE_READ for the fences that a reader must wait for; FENCEBRIDGE_WRITE or
 *         FENCEBRIDGE_RW for the fences that a writer must wait for; each with or without
 *         FENCEBRIDGE_NONE_IF_IDLE
 * @dma_buf_fd: in: the dma-buf, still owned by the caller
 * @sync_file_fd: out: a new sync_file, close-on-exec, owned by the caller. It signals when all
 *                fences have signalled that were pending at the time of the call. If none was
 *                pending, it has signalled already, or with FENCEBRIDGE_NONE_IF_IDLE this field is
 *                -1. The call ignores the previous value
 * @reserved: in: zero
 *
 * The sync_file does not contain fences that are attached to the dma-buf later. It always contains
 * the fences of the kernel itself, such as those of buffer moves. The call does not wait for
 * fences.
 *
 * Errors: EINVAL @flags is invalid, @reserved is not zero, or @dma_buf_fd is not a dma-buf; EBADF
 * @dma_buf_fd is not open; EMFILE no file descriptor is free; ENOMEM memory or an open file cannot
 * be allocated; E2BIG (before 5.19) more than &fencebridge_query.max_fences fences are pending, or
 * containers exceed the module's limits on unwrapping; EFAULT the argument cannot be accessed.
 *
 * Source: dma_buf_export_sync_file() in drivers/dma-buf/dma-buf.c of Linux 6.0.
 */
struct fencebridge_export {
	__u32 flags;
	__s32 dma_buf_fd;
	__s32 sync_file_fd;
	__u32 reserved;
};

/**
 * struct fencebridge_import - attach the fences of a sync_file to a dma-buf
 * @flags: in: FENCEBRIDGE_READ if the fences are those of a reader, for which later writers wait;
 *         FENCEBRIDGE_WRITE or FENCEBRIDGE_RW if they are those of a writer, for which later
 *         readers and writers wait
 * @dma_buf_fd: in: the dma-buf, still owned by the caller
 * @sync_file_fd: in: the sync_file, still owned by the caller
 * @reserved: in: zero
 *
 * Fences that the dma-buf had before stay in effect. Fences of the sync_file that have signalled
 * are not attached. The call does not wait for fences.
 *
 * Errors: EINVAL @flags is invalid, @reserved is not zero, @dma_buf_fd is not a dma-buf, or
 * @sync_file_fd is not an open sync_file; EBADF @dma_buf_fd is not open; ENOMEM memory cannot be
 * allocated; E2BIG there are more than &fencebridge_query.max_fences fences, or containers exceed
 * the module's limits on unwrapping; EFAULT the argument cannot be read.
 *
 * Source: dma_buf_import_sync_file() in drivers/dma-buf/dma-buf.c of Linux 6.0.
 */
struct fencebridge_import {
	__u32 flags;
	__s32 dma_buf_fd;
	__s32 sync_file_fd;
	__u32 reserved;
};

/* Documentation/userspace-api/ioctl/ioctl-number.rst assigns the ioctl type 0xfb to nobody. */
#define FENCEBRIDGE_IOCTL_QUERY _IOWR(0xfb, 0, struct fencebridge_query)
#define FENCEBRIDGE_IOCTL_EXPORT _IOWR(0xfb, 1, struct fencebridge_export)
#define FENCEBRIDGE_IOCTL_IMPORT _IOW(0xfb, 2, struct fencebridge_import)

#endif
