/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong when a fence is attached before 5.19 as any driver there would attach its own.
 * Each of these fails with such an import, which kmod/compat.h tells about; on newer kernels they
 * hold as well.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

/*
 * poll() and TTM's test, which vgem's own attaching makes, look at the exclusive fence only while
 * there is no shared one: the driver's pending move must not vanish behind a reader.
 */
static void a_reader_hides_the_exclusive_fence(void)
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

/* The same of a fence that was attached as a writer's, behind the driver's own reader. */
static void a_reader_hides_the_writer(void)
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

/* dma_resv_add_excl_fence() drops all shared fences. */
static void a_writer_drops_the_readers(void)
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

/* It drops the exclusive fence before it as well. */
static void a_writer_drops_the_writer(void)
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

/* Attaches two fences of a timeline in this order, and looks at what is left when one has ended. */
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

/* dma_resv_add_shared_fence() puts a fence in the place of any other of its timeline. */
static void an_earlier_fence_replaces_a_later(void)
{
	for (uint32_t third_as = FENCEBRIDGE_READ; third_as <= FENCEBRIDGE_WRITE; third_as++) {
		for (uint32_t fifth_as = FENCEBRIDGE_READ; fifth_as <= FENCEBRIDGE_WRITE;
		     fifth_as++) {
			third_and_fifth(false, third_as, fifth_as);
			third_and_fifth(true, third_as, fifth_as);
		}
	}
}

/* dma_fence_array finds out that it has signalled only once somebody has asked it to tell. */
static void an_array_never_signals(void)
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
		/* Nobody has waited for it. */
		CHECK(driver_begins(&buffer, true, &next));
		driver_ends(next);
		close(both);
		work_free(&one);
		work_free(&other);
		buffer_destroy(&buffer);
	}
}

/* A snapshot of an array, attached, is an array in an array, and so on. */
static void arrays_nest(void)
{
	struct buffer buffer[2] = { buffer_create(), buffer_create() };
	struct work one = work_begin(), other = work_begin();
	int both = merge(one.sync_file, other.sync_file), fd;

	attach(buffer[0].dma_buf, FENCEBRIDGE_WRITE, both);
	for (int i = 0; i < 64; i++) {
		fd = snapshot(buffer[i % 2].dma_buf, FENCEBRIDGE_WRITE);
		/* From 5.19 on a fence may be there as a reader's and as a writer's. */
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
	{ "traps.a_reader_hides_the_exclusive_fence", a_reader_hides_the_exclusive_fence },
	{ "traps.a_reader_hides_the_writer", a_reader_hides_the_writer },
	{ "traps.a_writer_drops_the_readers", a_writer_drops_the_readers },
	{ "traps.a_writer_drops_the_writer", a_writer_drops_the_writer },
	{ "traps.an_earlier_fence_replaces_a_later", an_earlier_fence_replaces_a_later },
	{ "traps.an_array_never_signals", an_array_never_signals },
	{ "traps.arrays_nest", arrays_nest },
	{ NULL, NULL },
};
