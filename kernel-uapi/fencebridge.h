/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of /dev/fencebridge: what DMA_BUF_IOCTL_EXPORT_SYNC_FILE and
 * DMA_BUF_IOCTL_IMPORT_SYNC_FILE of Linux 6.0 do, for kernels that lack them.
 *
 * The device holds no state: every call names the files that it works on, and nothing can be done
 * with the device that holders of those file descriptors may not do on newer kernels anyway.
 *
 * All structs have the same layout on 32 and 64 bits. Fields called reserved must be zero when
 * passed in, so that later versions can give them a meaning; a call with a non-zero one, or with a
 * flag that this version does not know, fails with EINVAL. A call that fails has changed nothing
 * and has written nothing to its argument, EFAULT of the answer itself aside.
 *
 * docs/kernel.md tells what the calls promise, with pictures.
 */
#ifndef FENCEBRIDGE_H
#define FENCEBRIDGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FENCEBRIDGE_DEVICE "/dev/fencebridge"

/* Rises with every addition to this header; what was there before keeps working. */
#define FENCEBRIDGE_VERSION 2

/*
 * As whom a call is made. A reader waits for the writers before it; a writer waits for the readers
 * and the writers before it. Values as DMA_BUF_SYNC_READ and DMA_BUF_SYNC_WRITE of
 * <linux/dma-buf.h>.
 */
#define FENCEBRIDGE_READ 0x1
#define FENCEBRIDGE_WRITE 0x2
#define FENCEBRIDGE_RW (FENCEBRIDGE_READ | FENCEBRIDGE_WRITE)
/* Of an export: an idle dma-buf gives no sync_file. With FENCEBRIDGE_FEATURE_NONE_IF_IDLE. */
#define FENCEBRIDGE_NONE_IF_IDLE 0x4

/**
 * struct fencebridge_query - what this module can do
 * @flags: in: none are defined; must be zero
 * @version: out: FENCEBRIDGE_VERSION of the header that the module was built with
 * @features: out: FENCEBRIDGE_FEATURE_* bits
 * @max_fences: out: how many timelines with pending fences one call deals with: of an imported
 *              sync_file, and where FENCEBRIDGE_FEATURE_USAGE is not set, with those that are on
 *              the dma-buf already, or of an export
 * @reserved: must be zero, and is zero afterwards
 *
 * What @version, @features and @max_fences hold before the call is ignored.
 *
 * Errors: EINVAL a flag or a reserved field is not zero; EFAULT the argument cannot be accessed.
 */
struct fencebridge_query {
	__u32 flags;
	__u32 version;
	__u64 features;
	__u32 max_fences;
	__u32 reserved[3];
};

/* FENCEBRIDGE_IOCTL_EXPORT is there. */
#define FENCEBRIDGE_FEATURE_EXPORT 0x1
/* FENCEBRIDGE_IOCTL_IMPORT is there. */
#define FENCEBRIDGE_FEATURE_IMPORT 0x2
/*
 * The kernel itself keeps apart who waits for which fence (enum dma_resv_usage, Linux 5.19). Where
 * it does not, readers' and writers' fences are told apart by the exclusive slot of the dma-buf's
 * reservation object, and fences that a driver keeps for itself cannot be told from others.
 */
#define FENCEBRIDGE_FEATURE_USAGE 0x4
/* FENCEBRIDGE_NONE_IF_IDLE is known. Since version 2. */
#define FENCEBRIDGE_FEATURE_NONE_IF_IDLE 0x8

/**
 * struct fencebridge_export - snapshot a dma-buf's fences as a sync_file
 * @flags: in: FENCEBRIDGE_READ for the fences that a reader must wait for, FENCEBRIDGE_WRITE or
 *         FENCEBRIDGE_RW for those that a writer must wait for; FENCEBRIDGE_NONE_IF_IDLE beside
 *         them; anything else is EINVAL
 * @dma_buf_fd: in: the dma-buf, still the caller's afterwards
 * @sync_file_fd: out: a new sync_file, close-on-exec, owned by the caller. It signals when every
 *                fence that was pending at the time of the call has signalled. When there was none,
 *                it is signalled from the start; with FENCEBRIDGE_NONE_IF_IDLE no sync_file is made
 *                then, and this is -1. Fences attached later have no part in it. What it holds
 *                before the call is ignored
 * @reserved: in: zero
 *
 * Fences of the kernel itself, such as those of buffer moves, are always part of the snapshot. The
 * call never waits for a fence.
 *
 * Errors: EINVAL a wrong flag, a reserved field, or @dma_buf_fd is not a dma-buf; EBADF @dma_buf_fd
 * is not open; EMFILE, ENOMEM as usual; E2BIG (before 5.19) more fences than
 * &fencebridge_query.max_fences, or in containers nested beyond reason; EFAULT the argument cannot
 * be accessed.
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
 * struct fencebridge_import - attach a sync_file's fences to a dma-buf
 * @flags: in: FENCEBRIDGE_READ attaches them as a reader's, for later writers to wait for;
 *         FENCEBRIDGE_WRITE or FENCEBRIDGE_RW as a writer's, for later readers and writers;
 *         anything else is EINVAL
 * @dma_buf_fd: in: the dma-buf, still the caller's afterwards
 * @sync_file_fd: in: the sync_file, still the caller's afterwards
 * @reserved: in: zero
 *
 * Whoever waited for a fence of the dma-buf before still waits for it. The call itself never waits
 * for one. Fences that have signalled are not attached.
 *
 * Errors: EINVAL a wrong flag, a reserved field, @dma_buf_fd is not a dma-buf, or @sync_file_fd is
 * not an open sync_file; EBADF @dma_buf_fd is not open; ENOMEM; E2BIG more fences than
 * &fencebridge_query.max_fences, or in containers nested beyond reason; EFAULT the argument cannot
 * be read.
 *
 * Source: dma_buf_import_sync_file() in drivers/dma-buf/dma-buf.c of Linux 6.0.
 */
struct fencebridge_import {
	__u32 flags;
	__s32 dma_buf_fd;
	__s32 sync_file_fd;
	__u32 reserved;
};

/* 0xfb is not in Documentation/userspace-api/ioctl/ioctl-number.rst. */
#define FENCEBRIDGE_IOCTL_QUERY _IOWR(0xfb, 0, struct fencebridge_query)
#define FENCEBRIDGE_IOCTL_EXPORT _IOWR(0xfb, 1, struct fencebridge_export)
#define FENCEBRIDGE_IOCTL_IMPORT _IOW(0xfb, 2, struct fencebridge_import)

#endif
