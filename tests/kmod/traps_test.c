/* SPDX-License-Identifier: MIT */
/*
 * The faults of an import that attaches fences as a driver does before 5.19, with
 * dma_resv_add_excl_fence() and dma_resv_add_shared_fence(). kmod/resv-exclusive.c describes them.
 * The tests pass on newer kernels, too.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

/*
 * On old kernels, poll() and dma_resv_test_signaled() ignore the exclusive fence if there are
 * shared fences. The fence of the driver's work must stay in effect when a reader is attached. vgem
 * and TTM call dma_resv_test_signaled().
 */
static void a_reader_does_not_hide_the_exclusive_fence(void)
{
	struct buffer buffer = buffer_create();
	struct work reader = work_begin();
	uint32_t move, other;

	CHECK(driver_begins(&buffer, true, &move));
	attach(buffer.dma_buf, FENCEBRIDGE_READ, reader.sync_file);
	work_end(&reader);
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!ready(buffer.dma_buf, POLLIN));
	CHECK(!driver_begins(&buffer, true, &other));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_READ));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	driver_ends(move);
	wait_ready(buffer.dma_buf, POLLOUT);
	work_free(&reader);
	buffer_destroy(&buffer);
}

/* The same for an imported writer, beside a reader that the driver attached. */
static void a_drivers_reader_does_not_hide_the_writer(void)
{
	struct buffer buffer = buffer_create();
	struct work writer = work_begin();
	uint32_t reader, other;

	CHECK(driver_begins(&buffer, false, &reader));
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writer.sync_file);
	driver_ends(reader);
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!driver_begins(&buffer, true, &other));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	work_end(&writer);
	wait_ready(buffer.dma_buf, POLLOUT);
	work_free(&writer);
	buffer_destroy(&buffer);
}

/* dma_resv_add_excl_fence() removes all shared fences. */
static void a_writer_does_not_drop_the_readers(void)
{
	struct buffer buffer = buffer_create();
	struct work writer = work_begin();
	uint32_t reader[2], other;

	CHECK(driver_begins(&buffer, false, &reader[0]));
	CHECK(driver_begins(&buffer, false, &reader[1]));
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writer.sync_file);
	work_end(&writer);
	for (int i = 0; i < 2; i++) {
		CHECK(!ready(buffer.dma_buf, POLLOUT));
		CHECK(!driver_begins(&buffer, true, &other));
		CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
		driver_ends(reader[i]);
	}
	wait_ready(buffer.dma_buf, POLLOUT);
	work_free(&writer);
	buffer_destroy(&buffer);
}

/* dma_resv_add_excl_fence() replaces the previous exclusive fence. */
static void a_writer_does_not_drop_an_earlier_writer(void)
{
	struct buffer buffer = buffer_create();
	struct work writer = work_begin();
	uint32_t move, other;

	CHECK(driver_begins(&buffer, true, &move));
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writer.sync_file);
	work_end(&writer);
	CHECK(!ready(buffer.dma_buf, POLLIN));
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_READ));
	CHECK(!driver_begins(&buffer, false, &other));
	CHECK(!driver_begins(&buffer, true, &other));
	driver_ends(move);
	wait_ready(buffer.dma_buf, POLLOUT);
	work_free(&writer);
	buffer_destroy(&buffer);
}

/*
 * Attaches the third and the fifth fence of a timeline, in either order. After the third has
 * signalled, the fifth must be pending on the buffer.
 */
static void third_and_fifth(bool third_first, uint32_t third_as, uint32_t fifth_as)
{
	struct buffer buffer = buffer_create();
	int timeline = timeline_create();
	int third = timeline_fence(timeline, 3), fifth = timeline_fence(timeline, 5);

	if (third_first)
		attach(buffer.dma_buf, third_as, third);
	attach(buffer.dma_buf, fifth_as, fifth);
	if (!third_first)
		attach(buffer.dma_buf, third_as, third);
	timeline_advance(timeline, 3);
	CHECK(ready(third, POLLIN));
	CHECK(!ready(buffer.dma_buf, POLLOUT));
	CHECK(!idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	CHECK_EQUAL(idle_for(buffer.dma_buf, FENCEBRIDGE_READ), fifth_as == FENCEBRIDGE_READ);
	timeline_advance(timeline, 2);
	wait_ready(buffer.dma_buf, POLLOUT);
	CHECK(idle_for(buffer.dma_buf, FENCEBRIDGE_WRITE));
	close(third);
	close(fifth);
	close(timeline);
	buffer_destroy(&buffer);
}

/* dma_resv_add_shared_fence() replaces any fence of the same context, also a later one. */
static void an_earlier_fence_does_not_replace_a_later_one(void)
{
	for (uint32_t third_as = FENCEBRIDGE_READ; third_as <= FENCEBRIDGE_WRITE; third_as++) {
		for (uint32_t fifth_as = FENCEBRIDGE_READ; fifth_as <= FENCEBRIDGE_WRITE;
		     fifth_as++) {
			third_and_fifth(false, third_as, fifth_as);
			third_and_fifth(true, third_as, fifth_as);
		}
	}
}

/* A dma_fence_array signals only after its signalling was enabled, for example by a waiter. */
static void an_array_signals_without_a_waiter(void)
{
	for (uint32_t flags = FENCEBRIDGE_READ; flags <= FENCEBRIDGE_WRITE; flags++) {
		struct buffer buffer = buffer_create();
		struct work one = work_begin(), other = work_begin();
		int both = merge(one.sync_file, other.sync_file);
		uint32_t next;

		attach(buffer.dma_buf, flags, both);
		CHECK(!driver_begins(&buffer, true, &next));
		work_end(&one);
		CHECK(!driver_begins(&buffer, true, &next));
		work_end(&other);
		/* No one has waited for the array. */
		CHECK(driver_begins(&buffer, true, &next));
		driver_ends(next);
		close(both);
		work_free(&one);
		work_free(&other);
		buffer_destroy(&buffer);
	}
}

/* An import of a snapshot must not attach an array that contains arrays. */
static void arrays_do_not_nest(void)
{
	struct buffer buffer[2] = { buffer_create(), buffer_create() };
	struct work one = work_begin(), other = work_begin();
	int both = merge(one.sync_file, other.sync_file), fd;

	attach(buffer[0].dma_buf, FENCEBRIDGE_WRITE, both);
	for (int i = 0; i < 64; i++) {
		fd = snapshot(buffer[i % 2].dma_buf, FENCEBRIDGE_WRITE);
		/* Since 5.19, a buffer can have a fence twice: as a reader's and a writer's. */
		CHECK(fences_in(fd) >= 2 && fences_in(fd) <= 4);
		attach(buffer[(i + 1) % 2].dma_buf, i % 3 ? FENCEBRIDGE_WRITE : FENCEBRIDGE_READ,
		       fd);
		close(fd);
	}
	work_end(&one);
	for (int i = 0; i < 2; i++)
		CHECK(!ready(buffer[i].dma_buf, POLLOUT));
	work_end(&other);
	for (int i = 0; i < 2; i++) {
		wait_ready(buffer[i].dma_buf, POLLOUT);
		buffer_destroy(&buffer[i]);
	}
	close(both);
	work_free(&one);
	work_free(&other);
}

const struct test trap_tests[] = {
	{ "traps.a_reader_does_not_hide_the_exclusive_fence",
	  a_reader_does_not_hide_the_exclusive_fence },
	{ "traps.a_drivers_reader_does_not_hide_the_writer",
	  a_drivers_reader_does_not_hide_the_writer },
	{ "traps.a_writer_does_not_drop_the_readers", a_writer_does_not_drop_the_readers },
	{ "traps.a_writer_does_not_drop_an_earlier_writer",
	  a_writer_does_not_drop_an_earlier_writer },
	{ "traps.an_earlier_fence_does_not_replace_a_later_one",
	  an_earlier_fence_does_not_replace_a_later_one },
	{ "traps.an_array_signals_without_a_waiter", an_array_signals_without_a_waiter },
	{ "traps.arrays_do_not_nest", arrays_do_not_nest },
	{ NULL, NULL },
};
