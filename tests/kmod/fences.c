/* SPDX-License-Identifier: MIT */
#include "fences.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <drm.h>
#include <linux/sync_file.h>

#include <dma_buf_sync_file.h>

#include "tap.h"

#define PATIENCE_MS 9000 /* less than the 10 s after which vgem signals its fences */

bool through_kernel;

static int device_fd = -1;

int device(void)
{
	if (device_fd < 0)
		device_fd = MUST(open(FENCEBRIDGE_DEVICE, O_RDWR | O_CLOEXEC));
	return device_fd;
}

void device_close(void)
{
	close(device_fd);
	device_fd = -1;
}

int try_export(int dma_buf, uint32_t flags, int *sync_file)
{
	struct fencebridge_export arg = { .flags = flags, .dma_buf_fd = dma_buf };
	struct fencebridge_dma_buf_export native = { .flags = flags, .fd = -1 };
	int ret;

	if (through_kernel) {
		ret = ioctl(dma_buf, FENCEBRIDGE_DMA_BUF_IOCTL_EXPORT, &native);
		*sync_file = native.fd;
	} else {
		ret = ioctl(device(), FENCEBRIDGE_IOCTL_EXPORT, &arg);
		*sync_file = arg.sync_file_fd;
	}
	return ret;
}

int try_import(int dma_buf, uint32_t flags, int sync_file)
{
	struct fencebridge_import arg = { .flags = flags,
					  .dma_buf_fd = dma_buf,
					  .sync_file_fd = sync_file };
	struct fencebridge_dma_buf_import native = { .flags = flags, .fd = sync_file };

	if (through_kernel)
		return ioctl(dma_buf, FENCEBRIDGE_DMA_BUF_IOCTL_IMPORT, &native);
	return ioctl(device(), FENCEBRIDGE_IOCTL_IMPORT, &arg);
}

int snapshot(int dma_buf, uint32_t flags)
{
	int sync_file = -1;

	MUST(try_export(dma_buf, flags, &sync_file));
	CHECK(sync_file >= 0);
	return sync_file;
}

void attach(int dma_buf, uint32_t flags, int sync_file)
{
	MUST(try_import(dma_buf, flags, sync_file));
}

static bool poll_for(int fd, short events, int timeout)
{
	struct pollfd request = { .fd = fd, .events = events };
	int count = MUST(poll(&request, 1, timeout));

	if (count)
		CHECK_EQUAL(request.revents, events);
	return count;
}

bool ready(int fd, short events)
{
	return poll_for(fd, events, 0);
}

void wait_ready(int fd, short events)
{
	if (!poll_for(fd, events, PATIENCE_MS))
		FAIL("still not ready after %d ms", PATIENCE_MS);
}

bool idle_for(int dma_buf, uint32_t flags)
{
	int sync_file = snapshot(dma_buf, flags);
	bool idle = ready(sync_file, POLLIN);

	close(sync_file);
	return idle;
}

int fences_in(int sync_file)
{
	struct sync_file_info info = { .num_fences = 0 };

	MUST(ioctl(sync_file, SYNC_IOC_FILE_INFO, &info));
	return (int)info.num_fences;
}

int merge(int one, int other)
{
	struct sync_merge_data data = { .name = "merged", .fd2 = other };

	MUST(ioctl(one, SYNC_IOC_MERGE, &data));
	return data.fence;
}

/* From include/uapi/drm/vgem_drm.h, which Debian's packages do not install. */
struct vgem_fence_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};
struct vgem_fence_signal {
	uint32_t fence;
	uint32_t flags;
};
#define VGEM_FENCE_WRITE 0x1
#define VGEM_FENCE_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_fence_attach)
#define VGEM_FENCE_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_fence_signal)

/* Opens the render node or the primary node of the driver. Returns -1 if there is none. */
static int drm_device(const char *wanted, bool render)
{
	for (int minor = render ? 128 : 0; minor < (render ? 136 : 8); minor++) {
		char path[32], name[32] = "";
		struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/%s%d", render ? "renderD" : "card", minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (ioctl(fd, DRM_IOCTL_VERSION, &version) == 0 && !strcmp(name, wanted))
			return fd;
		close(fd);
	}
	return -1;
}

static int vgem(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = drm_device("vgem", false); /* dumb buffers need the primary node */
	if (fd < 0)
		FAIL("no vgem device in /dev/dri");
	return fd;
}

struct buffer buffer_create(void)
{
	struct drm_mode_create_dumb dumb = { .width = 64, .height = 64, .bpp = 32 };
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };

	MUST(ioctl(vgem(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	prime.handle = dumb.handle;
	MUST(ioctl(vgem(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	return (struct buffer){ .handle = dumb.handle, .dma_buf = prime.fd };
}

void buffer_destroy(struct buffer *buffer)
{
	struct drm_gem_close gem = { .handle = buffer->handle };

	close(buffer->dma_buf);
	MUST(ioctl(vgem(), DRM_IOCTL_GEM_CLOSE, &gem));
	while (buffer->held_count)
		close(buffer->held[--buffer->held_count]);
}

long buffer_references(int dma_buf)
{
	char path[40], line[128];
	long count = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dma_buf);
	file = fopen(path, "re");
	CHECK(file);
	while (count < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "count: %ld", &count) != 1)
			count = -1;
	}
	fclose(file);
	CHECK(count >= 0);
	return count;
}

/*
 * Returns the inode in a buffer's line of bufinfo, whose columns are size, flags, mode, count,
 * exporter and inode. Returns -1 for other lines.
 */
static long inode_in(const char *line)
{
	unsigned long inode;

	return sscanf(line, "%*u %*x %*x %*u %*s %lu", &inode) == 1 ? (long)inode : -1;
}

int fences_on(int dma_buf)
{
	char line[256];
	struct stat status;
	bool ours = false;
	int count = 0;
	FILE *file = fopen("/sys/kernel/debug/dma_buf/bufinfo", "re");

	CHECK(file);
	MUST(fstat(dma_buf, &status));
	while (fgets(line, sizeof(line), file)) {
		/* The indented lines after a buffer's line describe its fences. */
		if (line[0] != '\t' && line[0] != '\n')
			ours = inode_in(line) == (long)status.st_ino;
		else if (ours && strstr(line, "fence:"))
			count++;
	}
	fclose(file);
	return count;
}

bool driver_begins(struct buffer *buffer, bool write, uint32_t *work)
{
	struct vgem_fence_attach arg = { .handle = buffer->handle,
					 .flags = write ? VGEM_FENCE_WRITE : 0 };

	if (ioctl(vgem(), VGEM_FENCE_ATTACH, &arg) < 0) {
		if (errno != EBUSY)
			FAIL("VGEM_FENCE_ATTACH: %s", strerror(errno));
		return false;
	}
	CHECK(buffer->held_count < (int)(sizeof(buffer->held) / sizeof(*buffer->held)));
	buffer->held[buffer->held_count++] = snapshot(buffer->dma_buf, FENCEBRIDGE_WRITE);
	*work = arg.out_fence;
	return true;
}

void driver_ends(uint32_t work)
{
	struct vgem_fence_signal arg = { .fence = work };

	/* ETIMEDOUT means that vgem signalled the fence by itself. Then the test is void. */
	MUST(ioctl(vgem(), VGEM_FENCE_SIGNAL, &arg));
}

/* The ioctls of drivers/dma-buf/sw_sync.c, which are in no header. */
struct sw_sync_create_fence_data {
	uint32_t value;
	char name[32];
	int32_t fence;
};
#define SW_SYNC_IOC_CREATE_FENCE _IOWR('W', 0, struct sw_sync_create_fence_data)
#define SW_SYNC_IOC_INC _IOW('W', 1, uint32_t)

static int sw_sync(void)
{
	return open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
}

int timeline_create(void)
{
	int fd = sw_sync();

	if (fd < 0)
		tap_skip("no sw_sync: %s", strerror(errno));
	return fd;
}

int timeline_fence(int timeline, uint32_t value)
{
	struct sw_sync_create_fence_data data = { .value = value, .name = "test" };

	MUST(ioctl(timeline, SW_SYNC_IOC_CREATE_FENCE, &data));
	return data.fence;
}

void timeline_advance(int timeline, uint32_t by)
{
	MUST(ioctl(timeline, SW_SYNC_IOC_INC, &by));
}

struct work work_begin(void)
{
	struct work work = { .timeline = sw_sync() };

	if (work.timeline >= 0) {
		work.sync_file = timeline_fence(work.timeline, 1);
	} else {
		work.buffer = buffer_create();
		CHECK(driver_begins(&work.buffer, true, &work.fence));
		work.sync_file = snapshot(work.buffer.dma_buf, FENCEBRIDGE_READ);
	}
	CHECK(!ready(work.sync_file, POLLIN));
	return work;
}

void work_end(struct work *work)
{
	if (work->timeline >= 0)
		timeline_advance(work->timeline, 1);
	else
		driver_ends(work->fence);
}

void work_free(struct work *work)
{
	close(work->sync_file);
	if (work->timeline >= 0)
		close(work->timeline);
	else
		buffer_destroy(&work->buffer);
}

int syncobj_device(void)
{
	static const char *const drivers[] = { "vgem", "virtio_gpu" };
	static int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(drivers) / sizeof(*drivers); i++) {
		struct drm_get_cap cap = { .capability = DRM_CAP_SYNCOBJ_TIMELINE };

		fd = drm_device(drivers[i], true);
		if (fd >= 0 && (ioctl(fd, DRM_IOCTL_GET_CAP, &cap) < 0 || !cap.value)) {
			close(fd);
			fd = -1;
		}
	}
	return fd;
}

static uint32_t syncobj_create(int drm)
{
	struct drm_syncobj_create arg = { .handle = 0 };

	MUST(ioctl(drm, DRM_IOCTL_SYNCOBJ_CREATE, &arg));
	return arg.handle;
}

static void syncobj_destroy(int drm, uint32_t handle)
{
	struct drm_syncobj_destroy arg = { .handle = handle };

	MUST(ioctl(drm, DRM_IOCTL_SYNCOBJ_DESTROY, &arg));
}

static void syncobj_transfer(int drm, uint32_t from, uint64_t from_point, uint32_t to,
			     uint64_t to_point)
{
	struct drm_syncobj_transfer arg = {
		.src_handle = from, .src_point = from_point, .dst_handle = to, .dst_point = to_point
	};

	MUST(ioctl(drm, DRM_IOCTL_SYNCOBJ_TRANSFER, &arg));
}

int chain_of(const int *sync_files, int count)
{
	int drm = syncobj_device();
	struct drm_syncobj_handle file = {
		.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE
	};
	uint32_t binary, timeline;

	if (drm < 0)
		tap_skip("no device with timeline syncobjs");
	binary = syncobj_create(drm);
	timeline = syncobj_create(drm);
	file.handle = binary;
	for (int i = 0; i < count; i++) {
		file.fd = sync_files[i];
		MUST(ioctl(drm, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &file));
		syncobj_transfer(drm, binary, 0, timeline, (uint64_t)i + 1);
	}
	syncobj_transfer(drm, timeline, (uint64_t)count, binary, 0);
	file.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
	file.fd = -1;
	MUST(ioctl(drm, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &file));
	syncobj_destroy(drm, binary);
	syncobj_destroy(drm, timeline);
	return file.fd;
}
