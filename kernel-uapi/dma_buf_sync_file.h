/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ioctls of a dma-buf that export and import its fences as a sync_file, as of Linux 6.0.
 *
 * <linux/dma-buf.h> of older systems lacks them. A program that is built there may run on a newer
 * kernel, so they are declared here. The names are this project's own, so that they do not clash
 * with a newer <linux/dma-buf.h>. Numbers and layouts are fixed ABI.
 *
 * Source: include/uapi/linux/dma-buf.h of Linux 6.0.
 */
#ifndef FENCEBRIDGE_DMA_BUF_SYNC_FILE_H
#define FENCEBRIDGE_DMA_BUF_SYNC_FILE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The kind of access. For an export, it is the caller's next access. For an import, it is the
 * access that the fences stand for. A reader waits for writers. A writer waits for writers and
 * readers.
 */
#define FENCEBRIDGE_DMA_BUF_READ 0x1
#define FENCEBRIDGE_DMA_BUF_WRITE 0x2
#define FENCEBRIDGE_DMA_BUF_RW (FENCEBRIDGE_DMA_BUF_READ | FENCEBRIDGE_DMA_BUF_WRITE)

/**
 * struct fencebridge_dma_buf_export - export the fences of a dma-buf as a sync_file
 * @flags: in: READ for the fences that a reader must wait for, WRITE or RW for those that a writer
 *         must wait for; other values fail with EINVAL
 * @fd: out: a new sync_file, close-on-exec, owned by the caller. It has signalled already if no
 *      fence is pending
 *
 * The sync_file does not contain fences that are attached to the dma-buf later.
 */
struct fencebridge_dma_buf_export {
	__u32 flags;
	__s32 fd;
};

/**
 * struct fencebridge_dma_buf_import - attach the fences of a sync_file to a dma-buf
 * @flags: in: READ if the fences are those of a reader, for which later writers wait; WRITE or RW
 *         if they are those of a writer, for which later readers and writers wait; other values
 *         fail with EINVAL
 * @fd: in: a sync_file, still owned by the caller; other files fail with EINVAL
 *
 * Fences that the dma-buf had before stay attached.
 */
struct fencebridge_dma_buf_import {
	__u32 flags;
	__s32 fd;
};

#define FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT _IOWR('b', 2, struct fencebridge_dma_buf_export)
#define FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT _IOW('b', 3, struct fencebridge_dma_buf_import)

#endif
