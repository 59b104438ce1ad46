/* SPDX-License-Identifier: MIT */
/* 20,000 cycles of export and import: the number of fences, time and memory stay bounded. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "fences.h"
#include "tap.h"

enum { CYCLES = 20000, PER_ROUND = 500, ROUNDS = CYCLES / PER_ROUND, ENDS = 5 };

/* Bytes per cycle. The smallest object that a cycle could leak is larger. */
#define NO_LEAK 64

/*
 * Bytes per cycle for two arrays. An array whose signalling is enabled stays in memory until all
 * its fences have signalled. Polling enables it for the array of a snapshot; before 5.19, the
 * module enables it for the array of an import.
 */
#define TWO_ARRAYS 1024

/*
 * The fastest of the last rounds may take this many times as long as the fastest of the first
 * rounds. The fastest rounds are compared because other load on the machine slows down single ones.
 */
#define MAX_SLOWDOWN 20

/*
 * The number of fences that the tests may leave on a buffer: fences of three contexts, each as a
 * reader's and as a writer's, and some that have signalled.
 */
#define MAX_ATTACHED 16

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct buffer buffers[2];

bool freed_memory_lingers;

/* Unreclaimable kernel memory in KiB, or 0 if freed memory lingers. */
static long kernel_memory(void)
{
	char line[128];
	long kib = -1;
	FILE *file;

	if (freed_memory_lingers)
		return 0;
	file = fopen("/proc/meminfo", "re");
	CHECK(file);
	while (kib < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "SUnreclaim: %ld kB", &kib) != 1)
			kib = -1;
	}
	fclose(file);
	CHECK(kib >= 0);
	return kib;
}

/*
 * Returns the growth in KiB. Fences are freed after an RCU grace period, so this function waits up
 * to 20 s until the growth is below the allowed value.
 */
static long memory_grown_since(long before, long allowed)
{
	double deadline = seconds() + 20;
	long grown;

	do {
		MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
		grown = kernel_memory() - before;
	} while (grown >= allowed && seconds() < deadline);
	return grown;
}

static double quickest(const double *round)
{
	double least = round[0];

	for (int i = 1; i < ENDS; i++) {
		if (round[i] < least)
			least = round[i];
	}
	return least;
}

static void run_cycles(void (*cycle)(int number), long bytes_per_cycle)
{
	double round[ROUNDS], begun = seconds(), slowdown = 1;
	long memory = 0, grown, allowed;

	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (int j = 0; j < PER_ROUND; j++)
			cycle(i * PER_ROUND + j);
		round[i] = seconds() - start;
		if (i == ENDS - 1) /* the slab caches have grown to their normal size */
			memory = kernel_memory();
		if (i >= ENDS)
			slowdown = quickest(round + i + 1 - ENDS) / quickest(round);
		CHECK(slowdown < MAX_SLOWDOWN);
		CHECK(fences_on(buffers[0].dma_buf) <= MAX_ATTACHED);
	}
	CHECK(fences_on(buffers[0].dma_buf) > 0);
	allowed = bytes_per_cycle * (CYCLES - ENDS * PER_ROUND) / 1024;
	grown = memory_grown_since(memory, allowed);
	tap_note("%d cycles in %.2f s; slowdown from first to last: %.2f; memory growth: %ld KiB",
		 CYCLES, seconds() - begun, slowdown, grown);
	CHECK(grown < allowed);
}

static uint32_t flags_out, flags_in;
static int most;

static void out_and_in(int number)
{
	int from = buffers[0].dma_buf, to = buffers[1].dma_buf, fd;

	fd = snapshot(number % 2 ? from : to, flags_out);
	attach(number % 2 ? to : from, flags_in, fd);
	close(fd);
}

static void end_work(struct work *work, int count)
{
	int fd = snapshot(buffers[0].dma_buf, FENCEBRIDGE_WRITE);

	/* vgem signals its fences after 10 s. They must have been pending during all cycles. */
	for (int i = 0; i < count; i++)
		CHECK(!ready(work[i].sync_file, POLLIN));
	/* Since 5.19, a buffer can have a fence twice, as a reader's and as a writer's. */
	CHECK(fences_in(fd) >= count && fences_in(fd) <= 2 * count);
	CHECK(!ready(fd, POLLIN));
	for (int i = 0; i < count; i++)
		work_end(&work[i]);
	wait_ready(fd, POLLIN);
	wait_ready(buffers[0].dma_buf, POLLOUT);
	close(fd);
	for (int i = 0; i < count; i++)
		work_free(&work[i]);
}

static void cycle_with(uint32_t out, uint32_t in, bool one_buffer)
{
	struct work work[3];

	flags_out = out;
	flags_in = in;
	buffers[0] = buffer_create();
	buffers[1] = one_buffer ? buffers[0] : buffer_create();
	for (int i = 0; i < 3; i++) {
		work[i] = work_begin();
		attach(buffers[0].dma_buf, i ? FENCEBRIDGE_WRITE : FENCEBRIDGE_READ,
		       work[i].sync_file);
		attach(buffers[1].dma_buf, FENCEBRIDGE_WRITE, work[i].sync_file);
	}
	run_cycles(out_and_in, NO_LEAK);
	end_work(work, 3);
	buffer_destroy(&buffers[0]);
	if (!one_buffer)
		buffer_destroy(&buffers[1]);
}

static void imports_as_a_writer_are_bounded(void)
{
	cycle_with(FENCEBRIDGE_WRITE, FENCEBRIDGE_WRITE, true);
}

static void imports_as_a_reader_are_bounded(void)
{
	cycle_with(FENCEBRIDGE_WRITE, FENCEBRIDGE_READ, true);
}

static void imports_between_two_buffers_are_bounded(void)
{
	cycle_with(FENCEBRIDGE_RW, FENCEBRIDGE_RW, false);
}

static int timeline;

/*
 * What a swapchain does for each frame: export, then import of a new fence. The fence of the
 * frame before the previous one has signalled.
 */
static void a_frame(int number)
{
	int fd = snapshot(buffers[0].dma_buf, FENCEBRIDGE_WRITE), new, count = 0;

	if (!ready(fd, POLLIN))
		count = fences_in(fd);
	if (count > most)
		most = count;
	close(fd);
	new = timeline_fence(timeline, (uint32_t)number + 1);
	attach(buffers[0].dma_buf, number % 2 ? FENCEBRIDGE_WRITE : FENCEBRIDGE_READ, new);
	close(new);
	if (number > 1)
		timeline_advance(timeline, 1);
}

static void frames_are_bounded(void)
{
	buffers[0] = buffer_create();
	timeline = timeline_create();
	most = 0;
	run_cycles(a_frame, NO_LEAK);
	CHECK(most >= 1 && most <= 2);
	timeline_advance(timeline, 2);
	wait_ready(buffers[0].dma_buf, POLLOUT);
	close(timeline);
	buffer_destroy(&buffers[0]);
}

/* As above, while a fence of a reader and a fence of a writer stay pending. */
static void frames_behind_pending_work_are_bounded(void)
{
	int slow = timeline_create(), other = timeline_create();
	int reader = timeline_fence(slow, 1), writer = timeline_fence(other, 1);
	long before = kernel_memory(), grown;

	buffers[0] = buffer_create();
	timeline = timeline_create();
	attach(buffers[0].dma_buf, FENCEBRIDGE_READ, reader);
	attach(buffers[0].dma_buf, FENCEBRIDGE_WRITE, writer);
	most = 0;
	run_cycles(a_frame, TWO_ARRAYS);
	CHECK(most >= 3 && most <= 4);
	timeline_advance(timeline, 2);
	CHECK(!ready(buffers[0].dma_buf, POLLOUT));
	timeline_advance(slow, 1);
	CHECK(!ready(buffers[0].dma_buf, POLLOUT));
	timeline_advance(other, 1);
	wait_ready(buffers[0].dma_buf, POLLOUT);
	close(reader);
	close(writer);
	close(slow);
	close(other);
	close(timeline);
	buffer_destroy(&buffers[0]);
	grown = memory_grown_since(before, (long)NO_LEAK * CYCLES / 1024);
	tap_note("memory growth after all fences have signalled: %ld KiB", grown);
	CHECK(grown * 1024 < (long)NO_LEAK * CYCLES);
}

const struct test cycle_tests[] = {
	{ "cycles.imports_as_a_writer_are_bounded", imports_as_a_writer_are_bounded },
	{ "cycles.imports_as_a_reader_are_bounded", imports_as_a_reader_are_bounded },
	{ "cycles.imports_between_two_buffers_are_bounded",
	  imports_between_two_buffers_are_bounded },
	{ "cycles.frames_are_bounded", frames_are_bounded },
	{ "cycles.frames_behind_pending_work_are_bounded", frames_behind_pending_work_are_bounded },
	{ NULL, NULL },
};
