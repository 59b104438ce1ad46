/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What build machines with an older libdrm lack of the DRM syncobj ioctls, under names of our own.
 * The rest is in libdrm's drm.h.
 *
 * Source: include/uapi/drm/drm.h of Linux 6.16. Numbers and layouts are fixed ABI.
 */
#ifndef FENCEBRIDGE_DRM_SYNCOBJ_H
#define FENCEBRIDGE_DRM_SYNCOBJ_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct fencebridge_syncobj_eventfd - have an eventfd told of a point, once (Linux 6.6)
 * @handle: the syncobj
 * @flags: 0: when the point signals; DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE: when it materialises
 * @point: on the syncobj's timeline; 0 for a binary syncobj
 * @fd: an eventfd, still owned by the caller; its counter goes up by one
 * @pad: 0
 */
struct fencebridge_syncobj_eventfd {
	__u32 handle;
	__u32 flags;
	__u64 point;
	__s32 fd;
	__u32 pad;
};

/**
 * struct fencebridge_syncobj_point - a sync_file to or from one point of a timeline (Linux 6.16)
 * @handle: the syncobj
 * @flags: SYNC_FILE and POINT; a kernel before 6.16 knows no POINT, and answers EINVAL
 * @fd: the sync_file; an exported one is close-on-exec and owned by the caller
 * @pad: 0
 * @point: on the syncobj's timeline; ignored without POINT
 *
 * Without @point it is drm.h's struct drm_syncobj_handle of older kernels. The kernel takes the
 * caller's size from the ioctl's number, fills what is missing with zeros, and ignores the rest.
 */
struct fencebridge_syncobj_point {
	__u32 handle;
	__u32 flags;
	__s32 fd;
	__u32 pad;
	__u64 point;
};

#define FENCEBRIDGE_SYNCOBJ_SYNC_FILE 0x1
#define FENCEBRIDGE_SYNCOBJ_POINT 0x2

#define FENCEBRIDGE_SYNCOBJ_IOCTL_EVENTFD _IOWR('d', 0xcf, struct fencebridge_syncobj_eventfd)
/* HANDLE_TO_FD and FD_TO_HANDLE, in the size that has a point. */
#define FENCEBRIDGE_SYNCOBJ_IOCTL_EXPORT_POINT _IOWR('d', 0xc1, struct fencebridge_syncobj_point)
#define FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT _IOWR('d', 0xc2, struct fencebridge_syncobj_point)

#endif
