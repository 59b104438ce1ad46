/* SPDX-License-Identifier: MIT */
/*
 * Tests that report as the kernel's own selftests do, in the Test Anything Protocol (KTAP): a plan,
 * then for every test "ok", "not ok", or "ok ... # SKIP why", with what went wrong in lines that
 * begin with "#".
 */
#ifndef FENCEBRIDGE_TAP_H
#define FENCEBRIDGE_TAP_H

#include <stdbool.h>

struct test {
	const char *name;
	void (*run)(void);
};

/* A group of tests, ended by one without a name. */
extern const struct test argument_tests[];
extern const struct test export_tests[];
extern const struct test import_tests[];
extern const struct test trap_tests[];
extern const struct test cycle_tests[];
extern const struct test limit_tests[];
extern const struct test thread_tests[];
extern const struct test fault_tests[];
extern const struct test unload_tests[];

/* Ends the running test. What it opened is closed by the runner. */
_Noreturn void tap_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void tap_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
int tap_must(long result, const char *call, const char *file, int line);
/* A line of explanation in the report. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Runs the tests of the groups whose names contain one of the words, or all when there are none,
 * each in a process of its own: nothing of one is left for the next. A test that leaves file
 * descriptors open has failed. Returns the exit status: 0 when none failed.
 */
int tap_run(const struct test *const *groups, char *const *words);

/* File descriptors that are open in this process. */
int tap_open_fds(void);

#define FAIL(...) tap_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			FAIL("not so: %s", #condition);                                            \
	} while (0)

#define CHECK_EQUAL(seen, wanted)                                                                  \
	do {                                                                                       \
		long long seen_ = (seen), wanted_ = (wanted);                                      \
		if (seen_ != wanted_)                                                              \
			FAIL("%s is %lld, not %s (%lld)", #seen, seen_, #wanted, wanted_);         \
	} while (0)

/* The call fails with this errno. */
#define CHECK_ERRNO(call, error)                                                                   \
	do {                                                                                       \
		errno = 0;                                                                         \
		int result_ = (call);                                                              \
		int errno_ = errno;                                                                \
		if (result_ >= 0)                                                                  \
			FAIL("%s succeeds instead of %s", #call, #error);                          \
		if (errno_ != (error))                                                             \
			FAIL("%s fails with %s instead of %s", #call, strerror(errno_), #error);   \
	} while (0)

/* The call must work for the test to make sense; its result. */
#define MUST(call) tap_must((call), #call, __FILE__, __LINE__)

#endif
