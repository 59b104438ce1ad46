/* SPDX-License-Identifier: MIT */
/* However often fences are taken out and attached again: bounded fences, time and memory. */
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

/* A leak of any object per cycle would be more than this. */
#define NO_LEAK 64

/*
 * While a fence is pending, every array that waits for it stays: the kernel's arrays cannot give up
 * waiting. That is a snapshot's, once somebody has polled it, and before 5.19 an attached one.
 */
#define TWO_ARRAYS 1024

/* Machines are noisy and growth is not: of several rounds the quickest is compared. */
#define MAX_SLOWDOWN 20

/* Three timelines, as a reader's and as a writer's, and some that have signalled. */
#define MAX_ATTACHED 16

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct buffer buffers[2];

bool freed_memory_lingers;

/* Kernel memory that is in use and stays so, in KiB. */
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

/* Freed fences lie around for some seconds, until RCU lets them go. */
static long memory_grown_since(long before, long bearable)
{
	double deadline = seconds() + 20;
	long grown;

	do {
		MUST(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
		grown = kernel_memory() - before;
	} while (grown >= bearable && seconds() < deadline);
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
	long memory = 0, grown, bearable;

	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds();

		for (int j = 0; j < PER_ROUND; j++)
			cycle(i * PER_ROUND + j);
		round[i] = seconds() - start;
		if (i == ENDS - 1) /* caches are warm */
			memory = kernel_memory();
		if (i >= ENDS)
			slowdown = quickest(round + i + 1 - ENDS) / quickest(round);
		CHECK(slowdown < MAX_SLOWDOWN);
		CHECK(fences_on(buffers[0].dma_buf) <= MAX_ATTACHED);
	}
	CHECK(fences_on(buffers[0].dma_buf) > 0);
	bearable = bytes_per_cycle * (CYCLES - ENDS * PER_ROUND) / 1024;
	grown = memory_grown_since(memory, bearable);
	tap_note("%d cycles in %.2f s, the last %.2f times as slow as the first, %ld KiB more",
		 CYCLES, seconds() - begun, slowdown, grown);
	CHECK(grown < bearable);
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

	/* vgem's fences live for 10 s: were they there all the time? */
	for (int i = 0; i < count; i++)
		CHECK(!ready(work[i].sync_file, POLLIN));
	/* From 5.19 on a fence may be there as a reader's and as a writer's. */
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

static void of_a_writer(void)
{
	cycle_with(FENCEBRIDGE_WRITE, FENCEBRIDGE_WRITE, true);
}

static void of_a_reader(void)
{
	cycle_with(FENCEBRIDGE_WRITE, FENCEBRIDGE_READ, true);
}

static void between_two_buffers(void)
{
	cycle_with(FENCEBRIDGE_RW, FENCEBRIDGE_RW, false);
}

static int timeline;

/* As a swapchain's buffer goes: every frame has a new fence, and the one before last has ended. */
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

static void of_frames(void)
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

/* The same, with a reader and a writer that do not come to an end meanwhile. */
static void of_frames_behind_slow_work(void)
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
	tap_note("%ld KiB more in the end", grown);
	CHECK(grown * 1024 < (long)NO_LEAK * CYCLES);
}

const struct test cycle_tests[] = {
	{ "cycles.of_a_writer", of_a_writer },
	{ "cycles.of_a_reader", of_a_reader },
	{ "cycles.between_two_buffers", between_two_buffers },
	{ "cycles.of_frames", of_frames },
	{ "cycles.of_frames_behind_slow_work", of_frames_behind_slow_work },
	{ NULL, NULL },
};
