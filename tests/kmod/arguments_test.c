/* SPDX-License-Identifier: MIT */
/* Invalid arguments of the ioctls: the call fails with the documented error and has no effect. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fences.h"
#include "tap.h"

_Static_assert(sizeof(struct fencebridge_query) == 32, "the size is fixed ABI");
_Static_assert(sizeof(struct fencebridge_export) == 16, "the size is fixed ABI");
_Static_assert(sizeof(struct fencebridge_import) == 16, "the size is fixed ABI");

static const uint32_t bad_flags[] = { 0, 4, 8, FENCEBRIDGE_RW | 8, 1u << 31, UINT32_MAX };

/* Maps a page with this protection, followed by an inaccessible page. */
static char *page_before_nothing(int protection)
{
	long size = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	MUST(mprotect(pages, (size_t)size, protection));
	return pages;
}

static char *page_end(char *page)
{
	return page + sysconf(_SC_PAGESIZE);
}

static void query_reports_version_and_features(void)
{
	struct fencebridge_query query = { .version = 77, .features = 77, .max_fences = 77 };
	uint64_t known = FENCEBRIDGE_FEATURE_EXPORT | FENCEBRIDGE_FEATURE_IMPORT |
			 FENCEBRIDGE_FEATURE_USAGE | FENCEBRIDGE_FEATURE_NONE_IF_IDLE;

	MUST(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query));
	CHECK_EQUAL(query.version, FENCEBRIDGE_VERSION);
	CHECK(query.features & FENCEBRIDGE_FEATURE_EXPORT);
	CHECK(query.features & FENCEBRIDGE_FEATURE_IMPORT);
	CHECK(query.features & FENCEBRIDGE_FEATURE_NONE_IF_IDLE);
	CHECK_EQUAL(query.features & ~known, 0);
	CHECK(query.max_fences >= 64);
	CHECK_EQUAL(query.reserved[0] | query.reserved[1] | query.reserved[2], 0);
	tap_note("version %u, features 0x%llx, max_fences %u", query.version,
		 (unsigned long long)query.features, query.max_fences);
}

static void query_rejects_flags_and_reserved_fields(void)
{
	struct fencebridge_query query = { .flags = 1 };

	CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query), EINVAL);
	for (int i = 0; i < 3; i++) {
		query = (struct fencebridge_query){ .flags = 0 };
		query.reserved[i] = 1u << (i * 8);
		CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, &query), EINVAL);
		CHECK_EQUAL(query.version, 0);
	}
	CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_QUERY, NULL), EFAULT);
}

static void unknown_requests_fail_with_enotty(void)
{
	char argument[64] = { 0 };

	CHECK_ERRNO(ioctl(device(), _IOWR(0xfb, 3, struct fencebridge_export), argument), ENOTTY);
	CHECK_ERRNO(ioctl(device(), _IOWR(0xfb, 1, char[8]), argument), ENOTTY);
	CHECK_ERRNO(ioctl(device(), _IOW(0xfb, 1, struct fencebridge_export), argument), ENOTTY);
	CHECK_ERRNO(ioctl(device(), _IOWR('b', 2, char[8]), argument), ENOTTY);
	CHECK_ERRNO(ioctl(device(), 0, argument), ENOTTY);
	CHECK_ERRNO((int)read(device(), argument, 1), EINVAL);
	CHECK_ERRNO((int)write(device(), argument, 1), EINVAL);
}

static void export_rejects_invalid_flags_and_reserved_bits(void)
{
	struct buffer buffer = buffer_create();
	int fd;

	for (size_t i = 0; i < sizeof(bad_flags) / sizeof(*bad_flags); i++)
		CHECK_ERRNO(try_export(buffer.dma_buf, bad_flags[i], &fd), EINVAL);
	for (int bit = 0; bit < 32; bit++) {
		struct fencebridge_export arg = { .flags = FENCEBRIDGE_READ,
						  .dma_buf_fd = buffer.dma_buf,
						  .sync_file_fd = -77,
						  .reserved = 1u << bit };

		CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_EXPORT, &arg), EINVAL);
		CHECK_EQUAL(arg.sync_file_fd, -77);
	}
	buffer_destroy(&buffer);
}

static void import_rejects_invalid_flags_and_reserved_bits(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();

	for (size_t i = 0; i < sizeof(bad_flags) / sizeof(*bad_flags); i++)
		CHECK_ERRNO(try_import(buffer.dma_buf, bad_flags[i], work.sync_file), EINVAL);
	CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE | FENCEBRIDGE_NONE_IF_IDLE,
			       work.sync_file),
		    EINVAL);
	for (int bit = 0; bit < 32; bit++) {
		struct fencebridge_import arg = { .flags = FENCEBRIDGE_WRITE,
						  .dma_buf_fd = buffer.dma_buf,
						  .sync_file_fd = work.sync_file,
						  .reserved = 1u << bit };

		CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_IMPORT, &arg), EINVAL);
	}
	CHECK(ready(buffer.dma_buf, POLLOUT));
	work_end(&work);
	work_free(&work);
	buffer_destroy(&buffer);
}

/* The kernel's own export has no such flag. */
static void none_if_idle_exports_only_pending_fences(void)
{
	struct buffer buffer = buffer_create();
	uint32_t work;
	int fd;

	for (uint32_t flags = FENCEBRIDGE_READ; flags <= FENCEBRIDGE_RW; flags++) {
		fd = 77;
		CHECK(try_export(buffer.dma_buf, flags | FENCEBRIDGE_NONE_IF_IDLE, &fd) == 0);
		CHECK_EQUAL(fd, -1);
	}
	CHECK(driver_begins(&buffer, false, &work));
	/* A fence of a reader is pending: a reader has nothing to wait for, a writer has. */
	CHECK(try_export(buffer.dma_buf, FENCEBRIDGE_READ | FENCEBRIDGE_NONE_IF_IDLE, &fd) == 0);
	CHECK_EQUAL(fd, -1);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE | FENCEBRIDGE_NONE_IF_IDLE);
	CHECK(!ready(fd, POLLIN));
	driver_ends(work);
	CHECK(ready(fd, POLLIN));
	close(fd);
	CHECK(try_export(buffer.dma_buf, FENCEBRIDGE_RW | FENCEBRIDGE_NONE_IF_IDLE, &fd) == 0);
	CHECK_EQUAL(fd, -1);
	buffer_destroy(&buffer);
}

/* Calls check() with fds that are no dma-buf, and with the error that a call must return. */
static void for_each_wrong_dma_buf(void (*check)(int fd, int error))
{
	struct buffer buffer = buffer_create();
	int sync_file = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);
	int null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	int closed = MUST(dup(null));
	int ends[2];

	MUST(pipe(ends));
	close(closed);
	check(closed, EBADF);
	check(-1, EBADF);
	check(INT_MIN, EBADF);
	check(INT_MAX, EBADF);
	check(null, EINVAL);
	check(ends[0], EINVAL);
	check(sync_file, EINVAL);
	check(device(), EINVAL);
	close(ends[0]);
	close(ends[1]);
	close(null);
	close(sync_file);
	buffer_destroy(&buffer);
}

static void refuses_export_of(int fd, int error)
{
	struct fencebridge_export arg = { .flags = FENCEBRIDGE_RW,
					  .dma_buf_fd = fd,
					  .sync_file_fd = -77 };

	CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_EXPORT, &arg), error);
	CHECK_EQUAL(arg.sync_file_fd, -77);
}

static void export_rejects_files_that_are_no_dma_buf(void)
{
	for_each_wrong_dma_buf(refuses_export_of);
}

static struct work to_import;

static void refuses_import_into(int fd, int error)
{
	CHECK_ERRNO(try_import(fd, FENCEBRIDGE_RW, to_import.sync_file), error);
}

static void import_rejects_files_that_are_no_dma_buf(void)
{
	to_import = work_begin();
	for_each_wrong_dma_buf(refuses_import_into);
	work_end(&to_import);
	work_free(&to_import);
}

static void import_rejects_files_that_are_no_sync_file(void)
{
	struct buffer buffer = buffer_create();
	int null = MUST(open("/dev/null", O_RDWR | O_CLOEXEC));
	int closed = MUST(dup(null));
	int wrong[] = { closed, -1, INT_MIN, INT_MAX, null, buffer.dma_buf, device() };

	close(closed);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, wrong[i]), EINVAL);
	CHECK(ready(buffer.dma_buf, POLLOUT));
	close(null);
	buffer_destroy(&buffer);
}

static void bad_pointers_fail_with_efault(void)
{
	static const unsigned long requests[] = { FENCEBRIDGE_IOCTL_QUERY, FENCEBRIDGE_IOCTL_EXPORT,
						  FENCEBRIDGE_IOCTL_IMPORT };
	char *page = page_before_nothing(PROT_READ | PROT_WRITE);
	char *hidden = page_before_nothing(PROT_NONE);
	void *bad[] = { NULL,	(void *)8,   page_end(page) - 4,      page_end(page),
			hidden, (void *)-16, (void *)(ULONG_MAX / 2), (void *)0xffff888000000000 };

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		for (size_t j = 0; j < sizeof(bad) / sizeof(*bad); j++)
			CHECK_ERRNO(ioctl(device(), requests[i], bad[j]), EFAULT);
	}
}

/* Reveals an fd that was reserved but not freed: tap_open_fds() does not count it. */
static int lowest_free_fd(void)
{
	int fd = MUST(dup(0));

	close(fd);
	return fd;
}

/* The kernel cannot write the new fd to the argument, so it must free the fd. */
static void export_to_read_only_memory_leaks_no_fd(void)
{
	struct buffer buffer = buffer_create();
	char *page = page_before_nothing(PROT_READ | PROT_WRITE);
	struct fencebridge_export *arg = (void *)page;
	int before = tap_open_fds(), next = lowest_free_fd();

	arg->flags = FENCEBRIDGE_WRITE;
	arg->dma_buf_fd = buffer.dma_buf;
	MUST(mprotect(page, 1, PROT_READ));
	for (int i = 0; i < 100; i++)
		CHECK_ERRNO(ioctl(device(), FENCEBRIDGE_IOCTL_EXPORT, arg), EFAULT);
	CHECK_EQUAL(tap_open_fds(), before);
	CHECK_EQUAL(lowest_free_fd(), next);
	buffer_destroy(&buffer);
}

static void only_export_needs_a_free_fd(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();
	struct rlimit limit, narrow;
	int opened = 0, first, fd, before;

	MUST(getrlimit(RLIMIT_NOFILE, &limit));
	narrow = limit;
	narrow.rlim_cur = 64;
	MUST(setrlimit(RLIMIT_NOFILE, &narrow));
	first = MUST(dup(0));
	while (dup(0) >= 0)
		opened++;
	CHECK_EQUAL(errno, EMFILE);
	before = opened;
	CHECK_ERRNO(try_export(buffer.dma_buf, FENCEBRIDGE_WRITE, &fd), EMFILE);
	/* An import needs no free fd. */
	attach(buffer.dma_buf, FENCEBRIDGE_WRITE, work.sync_file);
	close(first);
	fd = snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE);
	CHECK_EQUAL(fd, first);
	CHECK(!ready(fd, POLLIN));
	work_end(&work);
	wait_ready(fd, POLLIN);
	close(fd);
	for (int i = 0; i < 64 && opened; i++) {
		if (i > first && close(i) == 0)
			opened--;
	}
	CHECK(before > 0);
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	_exit(0); /* Skips the runner's count of open fds: the loop may have closed others. */
}

/* Calls release all references to the files in their arguments, also if they fail. */
static void calls_keep_no_references(void)
{
	struct buffer buffer = buffer_create();
	struct work work = work_begin();
	long before = buffer_references(buffer.dma_buf);
	int fd;

	for (int i = 0; i < 10; i++) {
		close(snapshot(buffer.dma_buf, FENCEBRIDGE_WRITE));
		attach(buffer.dma_buf, FENCEBRIDGE_READ, work.sync_file);
		CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, -1), EINVAL);
		CHECK_ERRNO(try_import(buffer.dma_buf, FENCEBRIDGE_WRITE, device()), EINVAL);
		CHECK_ERRNO(try_import(buffer.dma_buf, 0, work.sync_file), EINVAL);
		CHECK_ERRNO(try_import(work.sync_file, FENCEBRIDGE_READ, work.sync_file), EINVAL);
		CHECK_ERRNO(try_export(buffer.dma_buf, 0, &fd), EINVAL);
		CHECK_ERRNO(try_export(work.sync_file, FENCEBRIDGE_READ, &fd), EINVAL);
	}
	CHECK_EQUAL(buffer_references(buffer.dma_buf), before);
	work_end(&work);
	work_free(&work);
	buffer_destroy(&buffer);
}

static void sync_file_is_close_on_exec(void)
{
	struct buffer buffer = buffer_create();
	int fd = snapshot(buffer.dma_buf, FENCEBRIDGE_READ);

	CHECK(MUST(fcntl(fd, F_GETFD)) & FD_CLOEXEC);
	close(fd);
	buffer_destroy(&buffer);
}

static void read_only_device_is_sufficient(void)
{
	struct buffer buffer = buffer_create();
	struct fencebridge_export arg = { .flags = FENCEBRIDGE_READ, .dma_buf_fd = buffer.dma_buf };
	int fd = MUST(open(FENCEBRIDGE_DEVICE, O_RDONLY | O_CLOEXEC));

	MUST(ioctl(fd, FENCEBRIDGE_IOCTL_EXPORT, &arg));
	close(arg.sync_file_fd);
	close(fd);
	fd = MUST(open(FENCEBRIDGE_DEVICE, O_PATH | O_CLOEXEC));
	CHECK_ERRNO(ioctl(fd, FENCEBRIDGE_IOCTL_EXPORT, &arg), EBADF);
	close(fd);
	buffer_destroy(&buffer);
}

const struct test argument_tests[] = {
	{ "arguments.query_reports_version_and_features", query_reports_version_and_features },
	{ "arguments.query_rejects_flags_and_reserved_fields",
	  query_rejects_flags_and_reserved_fields },
	{ "arguments.unknown_requests_fail_with_enotty", unknown_requests_fail_with_enotty },
	{ "arguments.export_rejects_invalid_flags_and_reserved_bits",
	  export_rejects_invalid_flags_and_reserved_bits },
	{ "arguments.import_rejects_invalid_flags_and_reserved_bits",
	  import_rejects_invalid_flags_and_reserved_bits },
	{ "arguments.none_if_idle_exports_only_pending_fences",
	  none_if_idle_exports_only_pending_fences },
	{ "arguments.export_rejects_files_that_are_no_dma_buf",
	  export_rejects_files_that_are_no_dma_buf },
	{ "arguments.import_rejects_files_that_are_no_dma_buf",
	  import_rejects_files_that_are_no_dma_buf },
	{ "arguments.import_rejects_files_that_are_no_sync_file",
	  import_rejects_files_that_are_no_sync_file },
	{ "arguments.bad_pointers_fail_with_efault", bad_pointers_fail_with_efault },
	{ "arguments.export_to_read_only_memory_leaks_no_fd",
	  export_to_read_only_memory_leaks_no_fd },
	{ "arguments.only_export_needs_a_free_fd", only_export_needs_a_free_fd },
	{ "arguments.calls_keep_no_references", calls_keep_no_references },
	{ "arguments.sync_file_is_close_on_exec", sync_file_is_close_on_exec },
	{ "arguments.read_only_device_is_sufficient", read_only_device_is_sufficient },
	{ NULL, NULL },
};
