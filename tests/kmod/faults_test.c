/* SPDX-License-Identifier: MIT */
/*
 * The first allocation of a call fails, then the second, and so on. Each time the call either
 * succeeds, or fails with ENOMEM, leaks nothing and changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

enum { MOST_ALLOCATIONS = 200 };

/*
 * Opens the file that makes the nth allocation of this thread fail, see
 * Documentation/fault-injection/fault-injection.rst.
 */
static int fail_nth(void)
{
	int fd, knob = open("/sys/kernel/debug/failslab/ignore-gfp-wait", O_WRONLY | O_CLOEXEC);

	if (knob < 0)
		tap_skip("no failslab: %s", strerror(errno));
	CHECK_EQUAL(write(knob, "N", 1), 1);
	close(knob);
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		tap_skip("no fail-nth: %s", strerror(errno));
	return fd;
}

/* Runs the call with its nth allocation failing. Returns whether it has so many allocations. */
static bool fails(int knob, int nth, int (*call)(void), int *result)
{
	char text[16] = "";
	int length = snprintf(text, sizeof(text), "%d", nth), error;

	CHECK_EQUAL(pwrite(knob, text, (size_t)length, 0), length);
	*result = call();
	error = errno;
	CHECK(pread(knob, text, sizeof(text) - 1, 0) > 0);
	CHECK_EQUAL(pwrite(knob, "0", 1, 0), 1);
	errno = error;
	return atoi(text) == 0;
}

static struct buffer buffer;
static struct work work[5];
static int file, exported;
static uint32_t flags;

static int export_once(void)
{
	return try_export(buffer.dma_buf, FENCEBRIDGE_WRITE, &exported);
}

static int import_once(void)
{
	return try_import(buffer.dma_buf, flags, file);
}

static int fences_attached(void)
{
	int fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE), count = fences_in(fd);

	close(fd);
	return count;
}

static void begin_all(void)
{
	buffer = buffer_create();
	for (int i = 0; i < 5; i++)
		work[i] = work_begin();
}

static void end_all(void)
{
	for (int i = 0; i < 5; i++)
		work_end(&work[i]);
	wait_ready(buffer.dma_buf, POLLOUT);
	for (int i = 0; i < 5; i++)
		work_free(&work[i]);
	buffer_destroy(&buffer);
}

static void failed_export_leaks_nothing(void)
{
	int knob = fail_nth(), result, failed = 0, nth, before;

	begin_all();
	for (int i = 0; i < 5; i++)
		attach(buffer.dma_buf, i % 2 ? FENCEBRIDGE_READ : FENCEBRIDGE_WRITE,
		       work[i].sync_file);
	before = tap_open_fds();
	for (nth = 1; nth < MOST_ALLOCATIONS && fails(knob, nth, export_once, &result); nth++) {
		if (result == 0) {
			close(exported);
			continue;
		}
		CHECK_EQUAL(errno, ENOMEM);
		CHECK_EQUAL(tap_open_fds(), before);
		failed++;
	}
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL(fences_in(exported), 5);
	close(exported);
	tap_note("%d allocations; %d of them make the call fail", nth - 1, failed);
	CHECK(failed >= 3); /* at least the array, its list of fences, and the sync_file */
	close(knob);
	end_all();
}

/* Each try needs a new buffer: a call may succeed although one of its allocations failed. */
static void begin_try(void)
{
	buffer = buffer_create();
	attach(buffer.dma_buf, FENCEBRIDGE_READ, work[0].sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, work[1].sync_file);
}

static int import_with_faults(int knob)
{
	int result, failed = 0;

	for (int nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		bool injected;

		buffer_destroy(&buffer);
		begin_try();
		injected = fails(knob, nth, import_once, &result);
		if (result == 0) {
			CHECK_EQUAL(fences_attached(), 5);
			if (!injected)
				return failed;
		} else {
			CHECK_EQUAL(errno, ENOMEM);
			CHECK_EQUAL(fences_attached(), 2);
			failed++;
		}
	}
	FAIL("more than %d allocations", MOST_ALLOCATIONS);
}

static void failed_import_changes_nothing(void)
{
	int knob = fail_nth();

	for (flags = FENCEBRIDGE_READ; flags <= FENCEBRIDGE_WRITE; flags++) {
		int pair, before, failed;

		begin_all();
		pair = merge(work[2].sync_file, work[3].sync_file);
		file = merge(pair, work[4].sync_file);
		before = tap_open_fds();
		failed = import_with_faults(knob);
		CHECK_EQUAL(tap_open_fds(), before);
		tap_note("%s: %d allocations make the call fail",
			 flags == FENCEBRIDGE_READ ? "reader" : "writer", failed);
		/* At least the stack for unwrapping the array, and the resulting set of fences. */
		CHECK(failed >= 2);
		close(pair);
		close(file);
		end_all();
	}
	close(knob);
}

const struct test fault_tests[] = {
	{ "faults.failed_export_leaks_nothing", failed_export_leaks_nothing },
	{ "faults.failed_import_changes_nothing", failed_import_changes_nothing },
	{ NULL, NULL },
};
