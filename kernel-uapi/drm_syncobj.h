/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The DRM syncobj ioctls that the drm.h of older libdrm versions lacks.
 *
 * The names are this project's own. Numbers and layouts are fixed ABI. All other syncobj ioctls and
 * flags are taken from libdrm's drm.h.
 *
 * Source: include/uapi/drm/drm.h of Linux 6.16.
 */
#ifndef FENCEBRIDGE_DRM_SYNCOBJ_H
#define FENCEBRIDGE_DRM_SYNCOBJ_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct fencebridge_syncobj_eventfd - signal an eventfd once for a timeline point (Linux 6.6)
 * @handle: the syncobj
 * @flags: 0 to signal the eventfd when the point signals; DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE to
 *         signal it when the point materialises (has a fence)
 * @point: a point on the timeline of the syncobj; 0 for a binary syncobj
 * @fd: an eventfd, still owned by the caller; the ioctl adds 1 to its counter
 * @pad: must be 0
 */
struct fencebridge_syncobj_eventfd {
	__u32 handle;
	__u32 flags;
	__u64 point;
	__s32 fd;
	__u32 pad;
};

/**
 * struct fencebridge_syncobj_point - export or import a syncobj, or the fence in it
 * @handle: the syncobj. Out for an import with @flags 0, else in
 * @flags: 0: the syncobj itself. FENCEBRIDGE_SYNCOBJ_SYNC_FILE: its fence, as a sync_file; for the
 *         fence of a timeline point together with FENCEBRIDGE_SYNCOBJ_POINT. Kernels before 6.16 do
 *         not know the latter and fail with EINVAL
 * @fd: out for an export: a new file descriptor, close-on-exec, owned by the caller. In for an
 *      import: a descriptor of the same kind, still owned by the caller
 * @pad: must be 0
 * @point: a point on the timeline of the syncobj; ignored without FENCEBRIDGE_SYNCOBJ_POINT
 *
 * This is struct drm_syncobj_handle of Linux 6.16. In earlier versions that struct has no @point.
 * Every kernel accepts both sizes: it reads the size from the ioctl number, fills a short argument
 * with zeros and ignores the end of a long one.
 */
struct fencebridge_syncobj_point {
	__u32 handle;
	__u32 flags;
	__s32 fd;
	__u32 pad;
	__u64 point;
};

/* DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE, and the same bit for the import */
#define FENCEBRIDGE_SYNCOBJ_SYNC_FILE 0x1
/* DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_TIMELINE, and the same bit for the import */
#define FENCEBRIDGE_SYNCOBJ_POINT 0x2

#define FENCEBRIDGE_SYNCOBJ_IOCTL_EVENTFD _IOWR('d', 0xcf, struct fencebridge_syncobj_eventfd)
/* DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, with the size of Linux 6.16 */
#define FENCEBRIDGE_SYNCOBJ_IOCTL_EXPORT_POINT _IOWR('d', 0xc1, struct fencebridge_syncobj_point)
/* DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, with the size of Linux 6.16 */
#define FENCEBRIDGE_SYNCOBJ_IOCTL_IMPORT_POINT _IOWR('d', 0xc2, struct fencebridge_syncobj_point)

#endif
