/* SPDX-License-Identifier: MIT */
/*
 * A test runner that reports in the Test Anything Protocol (KTAP), as the kernel's selftests do.
 * The output begins with a plan. Each test has a line "ok", "not ok", or "ok ... # SKIP why". Lines
 * that begin with "#" are notes, among them the reasons of failures.
 */
#ifndef FENCEBRIDGE_TAP_H
#define FENCEBRIDGE_TAP_H

#include <stdbool.h>

struct test {
	const char *name;
	void (*run)(void);
};

/* Groups of tests. The last element of a group has no name. */
extern const struct test argument_tests[];
extern const struct test export_tests[];
extern const struct test import_tests[];
extern const struct test trap_tests[];
extern const struct test cycle_tests[];
extern const struct test limit_tests[];
extern const struct test thread_tests[];
extern const struct test fault_tests[];
extern const struct test unload_tests[];

/*
 * Functions that end the running test: as failed, as skipped, and as failed if the result of a call
 * is negative. tap_must() returns the result otherwise.
 */
_Noreturn void tap_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void tap_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
int tap_must(long result, const char *call, const char *file, int line);
/* Prints a line of explanation into the report. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Runs the tests whose names contain one of the words, or all tests if there are no words. Each
 * test runs in a process of its own, so a test cannot affect the next one. A test that leaves fds
 * open fails. Returns the exit status: 0 if all tests passed.
 */
int tap_run(const struct test *const *groups, char *const *words);

/* The number of fds that are open in this process. */
int tap_open_fds(void);

#define FAIL(...) tap_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			FAIL("is false: %s", #condition);                                          \
	} while (0)

#define CHECK_EQUAL(seen, wanted)                                                                  \
	do {                                                                                       \
		long long seen_ = (seen), wanted_ = (wanted);                                      \
		if (seen_ != wanted_)                                                              \
			FAIL("%s is %lld, not %s (%lld)", #seen, seen_, #wanted, wanted_);         \
	} while (0)

/* The call must fail with this errno. */
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

/* The call must succeed. Evaluates to its result. */
#define MUST(call) tap_must((call), #call, __FILE__, __LINE__)

#endif
