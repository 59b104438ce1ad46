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

static void too_many(void)
{
	enum { ROOM = 4096 };
	static int files[ROOM];
	struct fencebridge_query query = { .flags = 0 };
	struct buffer buffer = buffer_create();
	int timeline[ROOM], all, count = 0, more;

	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	timeline[0] = timeline_create();
	all = timeline_fence(timeline[0], 1);
	for (count = 1; count <= (int)query.max_fences && count < ROOM; count++) {
		timeline[count] = timeline_create();
		files[count] = timeline_fence(timeline[count], 1);
		more = merge(all, files[count]);
		close(all);
		close(files[count]);
		all = more;
	}
	CHECK_EQUAL(fences_in(all), query.max_fences + 1);
	CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, all), E2BIG);
	CHECK(ready(buffer.dma_buf, POLLOUT));
	/* One of them ends, and they are few enough. */
	timeline_advance(timeline[count / 2], 1);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, all);
	CHECK(!ready(buffer.dma_buf, POLLIN));
	for (int i = 0; i < count; i++) {
		CHECK(!ready(buffer.dma_buf, POLLOUT));
		if (i != count / 2)
			timeline_advance(timeline[i], 1);
	}
	wait_ready(buffer.dma_buf, POLLOUT);
	for (int i = 0; i < count; i++)
		close(timeline[i]);
	close(all);
	buffer_destroy(&buffer);
}

/*
 * Containers within containers, each part used twice: with timeline syncobjs that nest
 * (before 5.17) taking the last one apart without a bound would take 2^40 steps.
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
	{ "limits.nested_without_end", nested_without_end },
	{ NULL, NULL },
};
