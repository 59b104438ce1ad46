/* SPDX-License-Identifier: MIT */
/*
 * Several threads issue the ioctls of /dev/fencebridge with random arguments, while they create and
 * close buffers and sync_files.
 *
 * The program checks three things: each ioctl returns a result that fencebridge.h documents, all
 * buffers and sync_files become idle when all fences have signalled, and no fd leaks. The caller
 * checks the kernel's log for reports of KASAN, lockdep and kmemleak.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

enum { BUFFERS = 4, WORKS = 6, FILES = 8, BATCH = 100, MOST_THREADS = 16, ERRORS = 134 };

static const char usage[] =
	"usage: kmod-fuzz [OPTION]\n"
	"Calls /dev/fencebridge with random arguments. Needs root, and the vgem driver.\n"
	"\n"
	"  --calls N    the number of calls of all threads together (1000000)\n"
	"  --threads N  the number of threads, at most 16 (4)\n"
	"  --seed N     the seed of the random numbers (1)\n"
	"  --fail N     make N percent of the memory allocations fail; needs failslab (0)\n"
	"  --help       print this text\n"
	"\n"
	"Exit status: 0 all checks passed; 1 a check failed; 2 wrong usage.\n";

/* The state of one thread. Random fds also hit the files of other threads. */
struct fuzzer {
	uint64_t random;
	long calls;
	struct buffer buffer[BUFFERS];
	struct work work[WORKS];
	bool ended[WORKS];
	int file[FILES];  /* sync_files, or -1 */
	int make_it_fail; /* fd of the make-it-fail file while the thread runs */
	int other[3];	  /* neither dma-bufs nor sync_files */
	/* read_only and behind_read_only map the same page; only the latter is writable. */
	char *writable, *read_only, *behind_read_only;
	long succeeded[3], failed[ERRORS];
};

static long percent;

/* xorshift64* */
static uint32_t some(struct fuzzer *fuzzer, uint32_t below)
{
	fuzzer->random ^= fuzzer->random >> 12;
	fuzzer->random ^= fuzzer->random << 25;
	fuzzer->random ^= fuzzer->random >> 27;
	return (uint32_t)((fuzzer->random * 2685821657736338717u) >> 32) % below;
}

static bool one_in(struct fuzzer *fuzzer, uint32_t times)
{
	return some(fuzzer, times) == 0;
}

static int32_t some_fd(struct fuzzer *fuzzer, bool dma_buf)
{
	static const int32_t odd[] = { -1, INT_MIN, INT_MAX, 0, 1000000 };

	if (one_in(fuzzer, 20))
		return odd[some(fuzzer, sizeof(odd) / sizeof(*odd))];
	if (one_in(fuzzer, 20))
		return (int32_t)some(fuzzer, 256); /* may be open in another thread, or not open */
	if (one_in(fuzzer, 20))
		return fuzzer->other[some(fuzzer, 3)];
	if (one_in(fuzzer, 20))
		dma_buf = !dma_buf;
	if (dma_buf)
		return fuzzer->buffer[some(fuzzer, BUFFERS)].dma_buf;
	if (one_in(fuzzer, 2))
		return fuzzer->work[some(fuzzer, WORKS)].sync_file;
	return fuzzer->file[some(fuzzer, FILES)];
}

static uint32_t some_flags(struct fuzzer *fuzzer)
{
	return one_in(fuzzer, 10) ? some(fuzzer, UINT32_MAX) >> some(fuzzer, 32)
				  : 1 + some(fuzzer, 3);
}

static uint32_t mostly_zero(struct fuzzer *fuzzer)
{
	return one_in(fuzzer, 20) ? 1u << some(fuzzer, 32) : 0;
}

union argument {
	struct fencebridge_query query;
	struct fencebridge_export export;
	struct fencebridge_import import;
};

static unsigned long some_request(struct fuzzer *fuzzer, union argument *argument)
{
	*argument = (union argument){ .query = { .flags = 0 } };
	switch (some(fuzzer, 20)) {
	case 0:
		argument->query.flags = mostly_zero(fuzzer);
		argument->query.reserved[some(fuzzer, 3)] = mostly_zero(fuzzer);
		return FENCEBRIDGE_IOCTL_QUERY;
	case 1:
		return some(fuzzer, UINT32_MAX);
	default:
		argument->export.flags = some_flags(fuzzer);
		argument->export.dma_buf_fd = some_fd(fuzzer, true);
		argument->export.sync_file_fd = some_fd(fuzzer, false);
		argument->export.reserved = mostly_zero(fuzzer);
		return one_in(fuzzer, 2) ? FENCEBRIDGE_IOCTL_EXPORT : FENCEBRIDGE_IOCTL_IMPORT;
	}
}

/* Returns where the argument lies: mostly in writable memory, sometimes across its end. */
static void *some_place(struct fuzzer *fuzzer, const union argument *argument)
{
	char *place = fuzzer->writable + some(fuzzer, 64);

	switch (some(fuzzer, 40)) {
	case 0:
		return NULL;
	case 1:
		return fuzzer->writable + sysconf(_SC_PAGESIZE) - some(fuzzer, 33);
	case 2:
		memcpy(fuzzer->behind_read_only, argument, sizeof(*argument));
		return fuzzer->read_only;
	case 3:
		return (void *)(uintptr_t) - (intptr_t)some(fuzzer, INT_MAX);
	default:
		memcpy(place, argument, sizeof(*argument));
		return place;
	}
}

static void keep(struct fuzzer *fuzzer, int sync_file)
{
	int *slot = &fuzzer->file[some(fuzzer, FILES)];

	CHECK(fcntl(sync_file, F_GETFD) == FD_CLOEXEC);
	if (*slot >= 0)
		close(*slot);
	*slot = sync_file;
}

static void call(struct fuzzer *fuzzer)
{
	union argument argument;
	unsigned long request = some_request(fuzzer, &argument);
	union argument *place = some_place(fuzzer, &argument);
	int result = ioctl(device(), request, place), error = errno;

	if (result == 0 && request == FENCEBRIDGE_IOCTL_EXPORT) {
		memcpy(&argument, place, sizeof(argument.export));
		if (argument.export.sync_file_fd != -1 ||
		    !(argument.export.flags & FENCEBRIDGE_NONE_IF_IDLE))
			keep(fuzzer, argument.export.sync_file_fd);
	}
	if (result == 0) {
		fuzzer->succeeded[_IOC_NR(request) % 3]++;
		return;
	}
	switch (error) {
	case EINVAL:
	case EBADF:
	case EFAULT:
	case E2BIG:
		CHECK(_IOC_TYPE(request) == 0xfb);
		break;
	case ENOTTY:
		CHECK(request != FENCEBRIDGE_IOCTL_QUERY && request != FENCEBRIDGE_IOCTL_EXPORT &&
		      request != FENCEBRIDGE_IOCTL_IMPORT);
		break;
	case ENOMEM:
		CHECK(percent);
		break;
	default:
		FAIL("request 0x%lx: %s", request, strerror(error));
	}
	fuzzer->failed[error]++;
}

/* Switches fault injection on or off, for this thread only. */
static void let_fail(const struct fuzzer *fuzzer, bool on)
{
	if (percent)
		CHECK_EQUAL(pwrite(fuzzer->make_it_fail, on ? "1" : "0", 1, 0), 1);
}

/* Signals or creates a fence, replaces a buffer, and merges sync_files. */
static void change(struct fuzzer *fuzzer)
{
	int number = (int)some(fuzzer, WORKS);
	int one = fuzzer->file[some(fuzzer, FILES)], other = fuzzer->work[number].sync_file;

	if (one >= 0)
		keep(fuzzer, merge(one, other));
	if (!fuzzer->ended[number]) {
		work_end(&fuzzer->work[number]);
		fuzzer->ended[number] = true;
	} else {
		work_free(&fuzzer->work[number]);
		fuzzer->work[number] = work_begin();
		fuzzer->ended[number] = false;
	}
	if (one_in(fuzzer, 4)) {
		number = (int)some(fuzzer, BUFFERS);
		buffer_destroy(&fuzzer->buffer[number]);
		fuzzer->buffer[number] = buffer_create();
	}
}

static void begin(struct fuzzer *fuzzer)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	int memory;

	for (int i = 0; i < BUFFERS; i++)
		fuzzer->buffer[i] = buffer_create();
	for (int i = 0; i < WORKS; i++)
		fuzzer->work[i] = work_begin();
	memset(fuzzer->file, -1, sizeof(fuzzer->file));
	fuzzer->other[0] = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	fuzzer->other[1] = MUST(dup(fuzzer->other[0]));
	close(fuzzer->other[1]);
	fuzzer->other[2] = device();
	fuzzer->writable = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memory = MUST(memfd_create("fuzz", MFD_CLOEXEC));
	MUST(ftruncate(memory, (off_t)size));
	fuzzer->read_only = mmap(NULL, size, PROT_READ, MAP_SHARED, memory, 0);
	fuzzer->behind_read_only = mmap(NULL, size, PROT_WRITE, MAP_SHARED, memory, 0);
	close(memory);
	CHECK(fuzzer->writable != MAP_FAILED && fuzzer->read_only != MAP_FAILED &&
	      fuzzer->behind_read_only != MAP_FAILED);
	MUST(mprotect(fuzzer->writable, size, PROT_READ | PROT_WRITE));
}

static void end_works(struct fuzzer *fuzzer)
{
	for (int i = 0; i < WORKS; i++) {
		if (!fuzzer->ended[i])
			work_end(&fuzzer->work[i]);
	}
}

/* Must be called after end_works() for all threads. */
static void end(struct fuzzer *fuzzer)
{
	for (int i = 0; i < FILES; i++) {
		if (fuzzer->file[i] >= 0) {
			wait_ready(fuzzer->file[i], POLLIN);
			close(fuzzer->file[i]);
		}
	}
	for (int i = 0; i < BUFFERS; i++) {
		wait_ready(fuzzer->buffer[i].dma_buf, POLLOUT);
		buffer_destroy(&fuzzer->buffer[i]);
	}
	for (int i = 0; i < WORKS; i++)
		work_free(&fuzzer->work[i]);
	close(fuzzer->other[0]);
}

static void *run(void *argument)
{
	struct fuzzer *fuzzer = argument;

	if (percent)
		fuzzer->make_it_fail =
			MUST(open("/proc/thread-self/make-it-fail", O_WRONLY | O_CLOEXEC));
	for (long done = 0; done < fuzzer->calls;) {
		long stop = done + BATCH < fuzzer->calls ? done + BATCH : fuzzer->calls;

		let_fail(fuzzer, true);
		for (; done < stop; done++)
			call(fuzzer);
		let_fail(fuzzer, false);
		change(fuzzer);
	}
	if (percent)
		close(fuzzer->make_it_fail);
	return NULL;
}

/* See Documentation/fault-injection/fault-injection.rst. */
static void set_failslab(const char *knob, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", knob);
	fd = MUST(open(path, O_WRONLY | O_CLOEXEC));
	CHECK_EQUAL(write(fd, value, strlen(value)), (long)strlen(value));
	close(fd);
}

static void prepare_failslab(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", percent);
	set_failslab("ignore-gfp-wait", "N");
	set_failslab("task-filter", "Y");
	set_failslab("interval", "1");
	set_failslab("times", "-1");
	set_failslab("verbose", "0");
	set_failslab("probability", text);
}

static void report(const struct fuzzer *fuzzer, long threads)
{
	struct fuzzer sum = { .calls = 0 };

	for (long i = 0; i < threads; i++) {
		sum.calls += fuzzer[i].calls;
		for (int j = 0; j < 3; j++)
			sum.succeeded[j] += fuzzer[i].succeeded[j];
		for (int j = 0; j < ERRORS; j++)
			sum.failed[j] += fuzzer[i].failed[j];
	}
	printf("%ld calls; succeeded: %ld queries, %ld exports, %ld imports; failed:", sum.calls,
	       sum.succeeded[0], sum.succeeded[1], sum.succeeded[2]);
	for (int j = 0; j < ERRORS; j++) {
		if (sum.failed[j])
			printf(" %ld %s", sum.failed[j], strerrorname_np(j));
	}
	printf("\n");
	/* If most calls failed, the random arguments would be a poor test. */
	CHECK(sum.succeeded[1] > sum.calls / 10 && sum.succeeded[2] > sum.calls / 10);
	CHECK(!percent || sum.failed[ENOMEM] > 0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "calls", required_argument, NULL, 'c' },
						 { "threads", required_argument, NULL, 't' },
						 { "seed", required_argument, NULL, 's' },
						 { "fail", required_argument, NULL, 'f' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	static struct fuzzer fuzzer[MOST_THREADS];
	pthread_t thread[MOST_THREADS];
	long calls = 1000000, threads = 4, seed = 1;
	int option, before;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			calls = atol(optarg);
			break;
		case 't':
			threads = atol(optarg);
			break;
		case 's':
			seed = atol(optarg);
			break;
		case 'f':
			percent = atol(optarg);
			break;
		default:
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (optind < argc || calls < 1 || threads < 1 || threads > MOST_THREADS || percent < 0 ||
	    percent > 100) {
		fputs(usage, stderr);
		return 2;
	}
	if (percent)
		prepare_failslab();
	device();
	/* This opens vgem, so that tap_open_fds() counts its fd before and after. */
	fuzzer[0].buffer[0] = buffer_create();
	buffer_destroy(&fuzzer[0].buffer[0]);
	before = tap_open_fds();
	for (long i = 0; i < threads; i++) {
		fuzzer[i].random = (uint64_t)(seed * MOST_THREADS + i) * 0x9e3779b97f4a7c15u + 1;
		fuzzer[i].calls = calls / threads + (i < calls % threads);
		begin(&fuzzer[i]);
	}
	for (long i = 0; i < threads; i++)
		CHECK_EQUAL(pthread_create(&thread[i], NULL, run, &fuzzer[i]), 0);
	for (long i = 0; i < threads; i++)
		CHECK_EQUAL(pthread_join(thread[i], NULL), 0);
	for (long i = 0; i < threads; i++)
		end_works(&fuzzer[i]);
	for (long i = 0; i < threads; i++)
		end(&fuzzer[i]);
	CHECK_EQUAL(tap_open_fds(), before);
	report(fuzzer, threads);
	return 0;
}
