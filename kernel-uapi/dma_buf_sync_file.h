/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The two dma-buf ioctls that carry fences between a dma-buf and a sync_file, under names of our
 * own, for build machines whose <linux/dma-buf.h> is older than the kernel that they build for.
 *
 * Source: include/uapi/linux/dma-buf.h of Linux 6.0. Numbers and layouts are fixed ABI.
 */
#ifndef FENCEBRIDGE_DMA_BUF_SYNC_FILE_H
#define FENCEBRIDGE_DMA_BUF_SYNC_FILE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * What the caller means to do: of an export, which fences it must wait for; of an import, as whom
 * the new fence counts. A reader waits for writers; a writer waits for writers and readers.
 */
#define FENCEBRIDGE_DMA_BUF_READ 0x1
#define FENCEBRIDGE_DMA_BUF_WRITE 0x2
#define FENCEBRIDGE_DMA_BUF_RW (FENCEBRIDGE_DMA_BUF_READ | FENCEBRIDGE_DMA_BUF_WRITE)

/**
 * struct fencebridge_dma_buf_export - snapshot a dma-buf's fences as a sync_file
 * @flags: READ, WRITE or both; anything else, or none, is EINVAL
 * @fd: out: a new sync_file, close-on-exec, owned by the caller; already signalled when the
 *      dma-buf is idle
 *
 * Fences that are attached later are not in the snapshot.
 */
struct fencebridge_dma_buf_export {
	__u32 flags;
	__s32 fd;
};

/**
 * struct fencebridge_dma_buf_import - attach a sync_file's fences to a dma-buf
 * @flags: READ, WRITE or both; anything else, or none, is EINVAL
 * @fd: in: a sync_file, still owned by the caller; another kind of file is EINVAL
 *
 * Fences that are there already stay.
 */
struct fencebridge_dma_buf_import {
	__u32 flags;
	__s32 fd;
};

#define FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT _IOWR('b', 2, struct fencebridge_dma_buf_export)
#define FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT _IOW('b', 3, struct fencebridge_dma_buf_import)

#endif
