/* SPDX-License-Identifier: MIT */
/* More fences than the maximum: the call fails with E2BIG, and no fence is lost. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

enum { ROOM = 4096 };

/* sw_sync timelines, each with one pending fence. */
static int timeline[ROOM];
static int timelines;

/* Creates timelines. Returns a sync_file with the fences of all new ones. */
static int more_work(int count)
{
	int all = -1;

	CHECK(count > 0 && count <= ROOM - timelines);
	for (; count; count--) {
		int fence, merged;

		timeline[timelines] = timeline_create();
		fence = timeline_fence(timeline[timelines++], 1);
		merged = all < 0 ? MUST(dup(fence)) : merge(all, fence);
		close(fence);
		close(all);
		all = merged;
	}
	return all;
}

static void all_work_ends(void)
{
	while (timelines) {
		timeline_advance(timeline[--timelines], 1);
		close(timeline[timelines]);
	}
}

/*
 * Returns the maximum number of fences of a call. Sets with_attached if that includes the fences
 * that are attached to the buffer already.
 */
static int limit(bool *with_attached)
{
	struct fencebridge_query query = { .flags = 0 };

	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	*with_attached = !(query.features & FENCEBRIDGE_FEATURE_USAGE);
	return (int)query.max_fences;
}

static void import_of_too_many_fences_fails(void)
{
	struct buffer buffer = buffer_create();
	bool with_attached;
	int most = limit(&with_attached), all = more_work(most + 1);

	CHECK_EQUAL(fences_in(all), most + 1);
	CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, all), E2BIG);
	CHECK(ready(buffer.dma_buf, POLLOUT));
	/* After one of them has signalled, the import succeeds. */
	timeline_advance(timeline[most / 2], 1);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, all);
	CHECK(!ready(buffer.dma_buf, POLLIN));
	for (int i = 0; i < timelines; i++) {
		CHECK(!ready(buffer.dma_buf, POLLOUT));
		if (i != most / 2)
			timeline_advance(timeline[i], 1);
	}
	wait_ready(buffer.dma_buf, POLLOUT);
	all_work_ends();
	close(all);
	buffer_destroy(&buffer);
}

/* A writer's fences and one more are the maximum. Before 5.19, another one is too many. */
static void too_many_with_the_writers_as(uint32_t flags)
{
	struct buffer buffer = buffer_create();
	bool with_attached;
	int most = limit(&with_attached), fd;
	int writers = more_work(most - 1), one = more_work(1), another = more_work(1);

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writers);
	attach(buffer.dma_buf, flags, one);
	if (with_attached) {
		CHECK_ERRNO(try_import(buffer.dma_buf, flags, another), E2BIG);
		fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
		CHECK_EQUAL(fences_in(fd), most);
		close(fd);
		timeline_advance(timeline[0], 1);
	}
	attach(buffer.dma_buf, flags, another);
	for (int i = 0; i < timelines; i++) {
		CHECK(!ready(buffer.dma_buf, POLLOUT));
		if (i || !with_attached)
			timeline_advance(timeline[i], 1);
	}
	wait_ready(buffer.dma_buf, POLLOUT);
	all_work_ends();
	close(writers);
	close(one);
	close(another);
	buffer_destroy(&buffer);
}

static void attached_fences_count_towards_the_limit_before_5_19(void)
{
	too_many_with_the_writers_as(FENCEBRIDGE_READ);
	too_many_with_the_writers_as(FENCEBRIDGE_WRITE);
}

/* The maximum number of readers' fences, and one fence of a writer. */
static void export_of_too_many_fences_fails_before_5_19(void)
{
	struct buffer buffer = buffer_create();
	bool with_attached;
	int most = limit(&with_attached), fd;
	int readers = more_work(most), writer = more_work(1);

	attach(buffer.dma_buf, FENCEBRIDGE_READ, readers);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writer);
	if (with_attached) {
		CHECK_ERRNO(try_export(buffer.dma_buf, FENCEBRIDGE_WRITE, &fd), E2BIG);
		timeline_advance(timeline[0], 1);
	}
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);
	CHECK_EQUAL(fences_in(fd), 1);
	close(fd);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	CHECK_EQUAL(fences_in(fd), with_attached ? most : most + 1);
	CHECK(!ready(fd, POLLIN));
	all_work_ends();
	wait_ready(fd, POLLIN);
	wait_ready(buffer.dma_buf, POLLOUT);
	close(fd);
	close(readers);
	close(writer);
	buffer_destroy(&buffer);
}

/*
 * Each of 40 containers contains the previous one twice. Before 5.18, timeline syncobjs keep this
 * nesting, and unwrapping the last container without a limit would take 2^40 steps.
 */
static void unwrapping_is_bounded(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin(), other = work_begin();
	int nest = MUST(dup(work.sync_file)), result;

	for (int depth = 0; depth < 40; depth++) {
		int links[3] = { nest, other.sync_file, nest };
		int chain = chain_of(links, 3);

		close(nest);
		nest = merge(chain, other.sync_file);
		close(chain);
	}
	result = try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, nest);
	tap_note("%s", result < 0 ? strerror(errno) : "imported");
	CHECK(result == 0 || errno == E2BIG);
	CHECK_EQUAL(ready(buffer.dma_buf, POLLIN), result < 0);
	work_end(&other);
	CHECK_EQUAL(ready(buffer.dma_buf, POLLIN), result < 0);
	work_end(&work);
	wait_ready(buffer.dma_buf, POLLOUT);
	close(nest);
	work_free(&work);
	work_free(&other);
	buffer_destroy(&buffer);
}

const struct test limit_tests[] = {
	{ "limits.import_of_too_many_fences_fails", import_of_too_many_fences_fails },
	{ "limits.attached_fences_count_towards_the_limit_before_5_19",
	  attached_fences_count_towards_the_limit_before_5_19 },
	{ "limits.export_of_too_many_fences_fails_before_5_19",
	  export_of_too_many_fences_fails_before_5_19 },
	{ "limits.unwrapping_is_bounded", unwrapping_is_bounded },
	{ NULL, NULL },
};
