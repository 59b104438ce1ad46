/* SPDX-License-Identifier: MIT */
/* Who waits for an attached fence, and who does not. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

/*
 * Checks whether a reader, and whether a writer, could use the buffer without waiting. poll(),
 * snapshots and the driver must agree.
 */
static void check_usable(struct buffer *buffer, bool by_readers, bool by_writers)
{
	uint32_t work;

	CHECK_EQUAL(ready(buffer->dma_buf, POLLIN), by_readers);
	CHECK_EQUAL(ready(buffer->dma_buf, POLLOUT), by_writers);
	CHECK_EQUAL(idle_for(buffer->dma_buf, FENCEBRIDGE_READ), by_readers);
	CHECK_EQUAL(idle_for(buffer->dma_buf, FENCEBRIDGE_WRITE), by_writers);
	if (!by_writers)
		CHECK(!driver_begins(buffer, true, &work));
	if (!by_readers)
		CHECK(!driver_begins(buffer, false, &work));
}

static void as_a_writer_with(uint32_t flags)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();

	check_usable(&buffer, true, true);
	attach(buffer.dma_buf, flags, work.sync_file);
	check_usable(&buffer, false, false);
	work_end(&work);
	wait_ready(buffer.dma_buf, POLLOUT);
	check_usable(&buffer, true, true);
	work_free(&work);
	buffer_destroy(&buffer);
}

static void readers_and_writers_wait_for_a_writer(void)
{
	as_a_writer_with(FENCEBRIDGE_WRITE);
	as_a_writer_with(FENCEBRIDGE_RW);
}

static void only_writers_wait_for_a_reader(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();

	attach(buffer.dma_buf, FENCEBRIDGE_READ, work.sync_file);
	check_usable(&buffer, true, false);
	work_end(&work);
	wait_ready(buffer.dma_buf, POLLOUT);
	check_usable(&buffer, true, true);
	work_free(&work);
	buffer_destroy(&buffer);
}

static void nobody_waits_for_signalled_fences(void)
{
	struct buffer buffer = buffer_create();
	int fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);

	attach(buffer.dma_buf, FENCEBRIDGE_READ, fd);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, fd);
	check_usable(&buffer, true, true);
	close(fd);
	buffer_destroy(&buffer);
}

/* A sync_file can be imported twice. Closing it does not signal its fence. */
static void sync_file_remains_usable(void)
{
	struct buffer first = buffer_create(), second = buffer_create();
	struct work work = work_begin();
	int copy = MUST(dup(work.sync_file));

	attach(first.dma_buf, FENCEBRIDGE_WRITE, copy);
	attach(second.dma_buf, FENCEBRIDGE_READ, copy);
	close(copy);
	CHECK(!ready(work.sync_file, POLLIN));
	check_usable(&first, false, false);
	check_usable(&second, true, false);
	work_end(&work);
	wait_ready(first.dma_buf, POLLOUT);
	wait_ready(second.dma_buf, POLLOUT);
	work_free(&work);
	buffer_destroy(&first);
	buffer_destroy(&second);
}

/*
 * Signals the fences one after the other. The snapshot and the buffer must become ready with the
 * last one; wait_ready() allows for poll() reporting it late.
 */
static void end_in_order(const struct buffer *buffer, struct work *work, int count, uint32_t flags)
{
	int fd = snapshot(buffer->dma_buf, flags);

	CHECK_EQUAL(fences_in(fd), count);
	for (int i = 0; i < count; i++) {
		CHECK(!ready(fd, POLLIN));
		CHECK(!ready(buffer->dma_buf, flags == FENCEBRIDGE_READ ? POLLIN : POLLOUT));
		work_end(&work[i]);
	}
	wait_ready(fd, POLLIN);
	wait_ready(buffer->dma_buf, POLLOUT);
	close(fd);
	for (int i = 0; i < count; i++)
		work_free(&work[i]);
}

static void users_wait_for_all_fences_of_an_array(void)
{
	struct buffer buffer = buffer_create();
	struct work work[3] = { work_begin(), work_begin(), work_begin() };
	int two = merge(work[2].sync_file, work[0].sync_file);
	int three = merge(two, work[1].sync_file);

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, three);
	close(two);
	close(three);
	check_usable(&buffer, false, false);
	end_in_order(&buffer, work, 3, FENCEBRIDGE_READ);
	buffer_destroy(&buffer);
}

static void users_wait_for_all_fences_of_a_chain(void)
{
	struct buffer buffer = buffer_create();
	struct work work[3] = { work_begin(), work_begin(), work_begin() };
	int links[3] = { work[1].sync_file, work[2].sync_file, work[0].sync_file };
	int chain = chain_of(links, 3);

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, chain);
	close(chain);
	check_usable(&buffer, false, false);
	end_in_order(&buffer, work, 3, FENCEBRIDGE_READ);
	buffer_destroy(&buffer);
}

/* An array in a chain, and that chain in an array. */
static void users_wait_for_all_fences_of_nested_containers(void)
{
	struct buffer buffer = buffer_create();
	struct work work[4] = { work_begin(), work_begin(), work_begin(), work_begin() };
	int pair = merge(work[3].sync_file, work[1].sync_file);
	int links[2] = { pair, work[0].sync_file };
	int chain = chain_of(links, 2);
	int all = merge(chain, work[2].sync_file);

	attach(buffer.dma_buf, FENCEBRIDGE_READ, all);
	close(pair);
	close(chain);
	close(all);
	check_usable(&buffer, true, false);
	end_in_order(&buffer, work, 4, FENCEBRIDGE_WRITE);
	buffer_destroy(&buffer);
}

static void readers_do_not_wait_for_readers(void)
{
	struct buffer buffer = buffer_create();
	struct work reader = work_begin(), writer = work_begin(), late = work_begin();
	int fd;

	attach(buffer.dma_buf, FENCEBRIDGE_READ, reader.sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, writer.sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_READ, late.sync_file);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);
	CHECK_EQUAL(fences_in(fd), 1);
	work_end(&writer);
	wait_ready(fd, POLLIN);
	wait_ready(buffer.dma_buf, POLLIN);
	check_usable(&buffer, true, false);
	work_end(&reader);
	check_usable(&buffer, true, false);
	work_end(&late);
	wait_ready(buffer.dma_buf, POLLOUT);
	close(fd);
	work_free(&reader);
	work_free(&writer);
	work_free(&late);
	buffer_destroy(&buffer);
}

/*
 * The second writer's array replaces the first writer's. It must not replace the reader's array.
 */
static void a_reader_between_writers_keeps_its_fence(void)
{
	struct buffer buffer = buffer_create();
	struct work first = work_begin(), reader = work_begin(), second = work_begin();

	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, first.sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_READ, reader.sync_file);
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, second.sync_file);
	check_usable(&buffer, false, false);
	work_end(&first);
	check_usable(&buffer, false, false);
	work_end(&second);
	wait_ready(buffer.dma_buf, POLLIN);
	check_usable(&buffer, true, false);
	work_end(&reader);
	wait_ready(buffer.dma_buf, POLLOUT);
	check_usable(&buffer, true, true);
	work_free(&first);
	work_free(&reader);
	work_free(&second);
	buffer_destroy(&buffer);
}

/* Later imports do not remove earlier fences. */
static void all_attached_fences_stay_in_effect(void)
{
	enum { COUNT = 9 };
	struct buffer buffer = buffer_create();
	struct work work[COUNT];
	int readers, writers = 0, fd;

	for (int i = 0; i < COUNT; i++) {
		bool write = i % 3 == 1;

		work[i] = work_begin();
		attach(buffer.dma_buf, write ? FENCEBRIDGE_RW : FENCEBRIDGE_READ,
		       work[i].sync_file);
		writers += write;
		fd = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);
		CHECK_EQUAL(writers ? fences_in(fd) : 0, writers);
		close(fd);
		fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
		CHECK_EQUAL(fences_in(fd), i + 1);
		close(fd);
	}
	for (int i = 0; i < COUNT; i++) {
		readers = COUNT - 1 - i;
		work_end(&work[i]);
		if (!readers)
			break;
		CHECK(!ready(buffer.dma_buf, POLLOUT));
		fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
		CHECK_EQUAL(fences_in(fd), readers);
		close(fd);
	}
	wait_ready(buffer.dma_buf, POLLOUT);
	check_usable(&buffer, true, true);
	for (int i = 0; i < COUNT; i++)
		work_free(&work[i]);
	buffer_destroy(&buffer);
}

const struct test import_tests[] = {
	{ "import.readers_and_writers_wait_for_a_writer", readers_and_writers_wait_for_a_writer },
	{ "import.only_writers_wait_for_a_reader", only_writers_wait_for_a_reader },
	{ "import.nobody_waits_for_signalled_fences", nobody_waits_for_signalled_fences },
	{ "import.sync_file_remains_usable", sync_file_remains_usable },
	{ "import.users_wait_for_all_fences_of_an_array", users_wait_for_all_fences_of_an_array },
	{ "import.users_wait_for_all_fences_of_a_chain", users_wait_for_all_fences_of_a_chain },
	{ "import.users_wait_for_all_fences_of_nested_containers",
	  users_wait_for_all_fences_of_nested_containers },
	{ "import.readers_do_not_wait_for_readers", readers_do_not_wait_for_readers },
	{ "import.a_reader_between_writers_keeps_its_fence",
	  a_reader_between_writers_keeps_its_fence },
	{ "import.all_attached_fences_stay_in_effect", all_attached_fences_stay_in_effect },
	{ NULL, NULL },
};
