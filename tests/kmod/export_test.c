/* SPDX-License-Identifier: MIT */
/* Which fences a snapshot contains, and when it signals. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

static void idle_buffer_exports_a_signalled_sync_file(void)
{
	struct buffer buffer = buffer_create();

	for (uint32_t flags = FENCEBRIDGE_READ; flags <= FENCEBRIDGE_RW; flags++)
		CHECK(idle_for(buffer.dma_buf, flags));
	buffer_destroy(&buffer);
}

static void every_snapshot_contains_the_writers_fence(void)
{
	for (uint32_t flags = FENCEBRIDGE_READ; flags <= FENCEBRIDGE_RW; flags++) {
		struct buffer buffer = buffer_create();
		uint32_t work;
		int fd;

		CHECK(driver_begins(&buffer, true, &work));
		fd = snapshot(buffer.dma_buf, flags);
		CHECK(!ready(fd, POLLIN));
		CHECK_EQUAL(fences_in(fd), 1);
		driver_ends(work);
		CHECK(ready(fd, POLLIN));
		close(fd);
		buffer_destroy(&buffer);
	}
}

static void only_a_writers_snapshot_contains_a_readers_fence(void)
{
	struct buffer buffer = buffer_create();
	uint32_t work;

	CHECK(driver_begins(&buffer, false, &work));
	CHECK(idle_for(buffer.dma_buf, FENCEBRIDGE_READ));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_RW));
	driver_ends(work);
	CHECK(idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	buffer_destroy(&buffer);
}

static void writers_snapshot_contains_the_fences_of_all_readers(void)
{
	struct buffer buffer = buffer_create();
	uint32_t work[3];
	int fd;

	for (int i = 0; i < 3; i++)
		CHECK(driver_begins(&buffer, false, &work[i]));
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	CHECK_EQUAL(fences_in(fd), 3);
	for (int i = 0; i < 3; i++) {
		CHECK(!ready(fd, POLLIN));
		driver_ends(work[i]);
	}
	wait_ready(fd, POLLIN);
	close(fd);
	buffer_destroy(&buffer);
}

static void snapshot_contains_only_pending_fences(void)
{
	struct buffer buffer = buffer_create();
	uint32_t work[3];
	int fd;

	for (int i = 0; i < 3; i++)
		CHECK(driver_begins(&buffer, false, &work[i]));
	driver_ends(work[0]);
	driver_ends(work[2]);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	CHECK_EQUAL(fences_in(fd), 1);
	CHECK(!ready(fd, POLLIN));
	driver_ends(work[1]);
	CHECK(ready(fd, POLLIN));
	close(fd);
	buffer_destroy(&buffer);
}

/* This is the purpose of a snapshot: waiting for past work while newer work is pending. */
static void snapshot_excludes_fences_attached_later(void)
{
	struct buffer buffer = buffer_create();
	struct work newer = work_begin();
	uint32_t work;
	int past;

	CHECK(driver_begins(&buffer, true, &work));
	past = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, newer.sync_file);
	CHECK(!ready(past, POLLIN));
	driver_ends(work);
	wait_ready(past, POLLIN);
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_READ));
	work_end(&newer);
	wait_ready(buffer.dma_buf, POLLOUT);
	close(past);
	work_free(&newer);
	buffer_destroy(&buffer);
}

static void snapshots_signal_one_after_the_other(void)
{
	enum { POINTS = 8 };
	struct buffer buffer = buffer_create();
	struct work work[POINTS];
	int point[POINTS];

	for (int i = 0; i < POINTS; i++) {
		work[i] = work_begin();
		attach(buffer.dma_buf, i % 2 ? FENCEBRIDGE_WRITE : FENCEBRIDGE_READ,
		       work[i].sync_file);
		point[i] = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
		CHECK_EQUAL(fences_in(point[i]), i + 1);
	}
	for (int i = 0; i < POINTS; i++) {
		CHECK(!ready(point[i], POLLIN));
		work_end(&work[i]);
		wait_ready(point[i], POLLIN);
		close(point[i]);
		work_free(&work[i]);
	}
	CHECK(idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	buffer_destroy(&buffer);
}

static void snapshot_outlives_the_buffer(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();
	int fd;

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, work.sync_file);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);
	buffer_destroy(&buffer);
	CHECK(!ready(fd, POLLIN));
	work_end(&work);
	wait_ready(fd, POLLIN);
	close(fd);
	work_free(&work);
}

struct waiter {
	int fd;
	_Atomic pid_t id; /* the thread's id once it is about to wait; 0 before */
};

static void *wait_until_ready(void *argument)
{
	struct waiter *waiter = argument;

	atomic_store(&waiter->id, (pid_t)syscall(SYS_gettid));
	wait_ready(waiter->fd, POLLIN);
	return NULL;
}

/* The state of a thread as in /proc/PID/stat: S is interruptible sleep. */
static char state_of(pid_t id)
{
	char path[48], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", id);
	file = fopen(path, "re");
	CHECK(file);
	CHECK_EQUAL(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
	fclose(file);
	return state;
}

static void signal_wakes_a_polling_thread(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();
	struct waiter waiter = { .id = 0 };
	pthread_t thread;

	attach(buffer.dma_buf, FENCEBRIDGE_READ, work.sync_file);
	waiter.fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	CHECK_EQUAL(pthread_create(&thread, NULL, wait_until_ready, &waiter), 0);
	while (!atomic_load(&waiter.id) || state_of(waiter.id) != 'S')
		sched_yield();
	CHECK(!ready(waiter.fd, POLLIN));
	work_end(&work);
	CHECK_EQUAL(pthread_join(thread, NULL), 0);
	close(waiter.fd);
	work_free(&work);
	buffer_destroy(&buffer);
}

const struct test export_tests[] = {
	{ "export.idle_buffer_exports_a_signalled_sync_file",
	  idle_buffer_exports_a_signalled_sync_file },
	{ "export.every_snapshot_contains_the_writers_fence",
	  every_snapshot_contains_the_writers_fence },
	{ "export.only_a_writers_snapshot_contains_a_readers_fence",
	  only_a_writers_snapshot_contains_a_readers_fence },
	{ "export.writers_snapshot_contains_the_fences_of_all_readers",
	  writers_snapshot_contains_the_fences_of_all_readers },
	{ "export.snapshot_contains_only_pending_fences", snapshot_contains_only_pending_fences },
	{ "export.snapshot_excludes_fences_attached_later",
	  snapshot_excludes_fences_attached_later },
	{ "export.snapshots_signal_one_after_the_other", snapshots_signal_one_after_the_other },
	{ "export.snapshot_outlives_the_buffer", snapshot_outlives_the_buffer },
	{ "export.signal_wakes_a_polling_thread", signal_wakes_a_polling_thread },
	{ NULL, NULL },
};
