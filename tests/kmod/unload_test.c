/* SPDX-License-Identifier: MIT */
/* The module is unloaded and loaded again while fences that it attached are pending. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

/* The file to load the module from. main() sets it. */
const char *module_path;

static int unload(void)
{
	return (int)syscall(SYS_delete_module, "fencebridge", O_NONBLOCK);
}

static void load(void)
{
	int fd = MUST(open(module_path, O_RDONLY | O_CLOEXEC));

	MUST(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
}

static void open_device_prevents_unloading(void)
{
	struct fencebridge_query query = { .flags = 0 };

	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	CHECK_ERRNO(unload(), EAGAIN);
	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	device_close();
}

static void pending_fences_survive_unloading(void)
{
	struct buffer buffer = buffer_create();
	struct work work[4] = { work_begin(), work_begin(), work_begin(), work_begin() };
	int pair = merge(work[0].sync_file, work[1].sync_file), fd;
	uint32_t other;

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, pair);
	attach(buffer.dma_buf, FENCEBRIDGE_READ, work[2].sync_file);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	device_close();
	MUST(unload());
	CHECK_ERRNO(open(FENCEBRIDGE_DEVICE, O_RDWR), ENOENT);

	/* The fences stay attached, and signal. */
	work_end(&work[0]);
	CHECK(!ready(fd, POLLIN));
	CHECK(!ready(buffer.dma_buf, POLLIN));
	CHECK(!driver_begins(&buffer, false, &other));

	/* The module that is loaded next sees the same fences. */
	load();
	attach(buffer.dma_buf, FENCEBRIDGE_READ, work[3].sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, work[3].sync_file);
	work_end(&work[3]);
	CHECK(!ready(buffer.dma_buf, POLLIN));
	work_end(&work[1]);
	wait_ready(buffer.dma_buf, POLLIN);
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!ready(fd, POLLIN));
	work_end(&work[2]);
	wait_ready(fd, POLLIN);
	wait_ready(buffer.dma_buf, POLLOUT);
	device_close();
	close(fd);
	close(pair);
	for (int i = 0; i < 4; i++)
		work_free(&work[i]);
	buffer_destroy(&buffer);
}

const struct test unload_tests[] = {
	{ "unload.open_device_prevents_unloading", open_device_prevents_unloading },
	{ "unload.pending_fences_survive_unloading", pending_fences_survive_unloading },
	{ NULL, NULL },
};
