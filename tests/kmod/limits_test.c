/* SPDX-License-Identifier: MIT */
/* More fences than a call takes: an error, and nothing lost. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

enum { ROOM = 4096 };

/* Timelines, each with one pending fence. */
static int timeline[ROOM];
static int timelines;

/* So many more, and their fences as one sync_file. */
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

/* How many fences a call takes, and whether those that are on the buffer count as well. */
static int limit(bool *with_attached)
{
	struct fencebridge_query query = { .flags = 0 };

	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	*with_attached = !(query.features & FENCEBRIDGE_FEATURE_USAGE);
	return (int)query.max_fences;
}

static void too_many(void)
{
	struct buffer buffer = buffer_create();
	bool with_attached;
	int most = limit(&with_attached), all = more_work(most + 1);

	CHECK_EQUAL(fences_in(all), most + 1);
	CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, all), E2BIG);
	CHECK(ready(buffer.dma_buf, POLLOUT));
	/* One of them ends, and they are few enough. */
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

/* A writer's fences and one more are as many as a call takes, and two more are too many. */
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

static void too_many_with_what_is_attached(void)
{
	too_many_with_the_writers_as(FENCEBRIDGE_READ);
	too_many_with_the_writers_as(FENCEBRIDGE_WRITE);
}

/* As many readers' fences as a call takes, and a writer's, which does not wait for them. */
static void too_many_for_a_snapshot(void)
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
 * Containers within containers, each part used twice: with timeline syncobjs that nest
 * (before 5.18) taking the last one apart without a bound would take 2^40 steps.
 */
static void nested_without_end(void)
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
	tap_note("%s", result < 0 ? strerror(errno) : "taken apart");
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
	{ "limits.too_many", too_many },
	{ "limits.too_many_with_what_is_attached", too_many_with_what_is_attached },
	{ "limits.too_many_for_a_snapshot", too_many_for_a_snapshot },
	{ "limits.nested_without_end", nested_without_end },
	{ NULL, NULL },
};
