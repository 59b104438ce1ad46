/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum verdict { PASSED = 0, FAILED = 1, SKIPPED = 4 }; /* exit statuses; 4 is KSFT_SKIP */

static int report[2]; /* a pipe through which a test tells the runner why it is skipped */

void tap_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("# ");
	vprintf(format, arguments);
	printf("\n");
	fflush(stdout);
	va_end(arguments);
}

_Noreturn void tap_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	printf("# %s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
	vprintf(format, arguments);
	printf("\n");
	fflush(stdout);
	va_end(arguments);
	_exit(FAILED);
}

_Noreturn void tap_skip(const char *format, ...)
{
	char why[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	if (write(report[1], why, strlen(why)) < 0)
		perror("# write");
	_exit(SKIPPED);
}

int tap_must(long result, const char *call, const char *file, int line)
{
	if (result < 0)
		tap_fail(file, line, "%s: %s", call, strerror(errno));
	return (int)result;
}

int tap_open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = -3; /* excludes ".", "..", and the fd of the folder itself */

	if (!folder)
		return -1;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static _Noreturn void run_in_child(const struct test *test)
{
	int before = tap_open_fds(), after;

	test->run();
	after = tap_open_fds();
	if (after != before)
		FAIL("%d file descriptors are open instead of %d", after, before);
	_exit(PASSED);
}

static enum verdict run_one(const struct test *test, char *why, size_t size)
{
	int status;
	ssize_t length;
	pid_t child;

	if (pipe(report) < 0) {
		perror("# pipe");
		return FAILED;
	}
	fflush(stdout);
	child = fork();
	if (child == 0)
		run_in_child(test);
	close(report[1]);
	length = read(report[0], why, size - 1);
	why[length > 0 ? length : 0] = '\0';
	close(report[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		perror("# fork");
		return FAILED;
	}
	if (WIFSIGNALED(status))
		tap_note("killed by signal %d", WTERMSIG(status));
	if (!WIFEXITED(status))
		return FAILED;
	return WEXITSTATUS(status) == PASSED || WEXITSTATUS(status) == SKIPPED
		       ? (enum verdict)WEXITSTATUS(status)
		       : FAILED;
}

static bool wanted(const struct test *test, char *const *words)
{
	bool any = false;

	for (; *words; words++) {
		any = true;
		if (strstr(test->name, *words))
			return true;
	}
	return !any;
}

static int count_tests(const struct test *const *groups, char *const *words)
{
	int count = 0;

	for (; *groups; groups++) {
		for (const struct test *test = *groups; test->name; test++)
			count += wanted(test, words);
	}
	return count;
}

int tap_run(const struct test *const *groups, char *const *words)
{
	int number = 0, totals[SKIPPED + 1] = { 0 };
	char why[200];

	printf("TAP version 13\n1..%d\n", count_tests(groups, words));
	for (; *groups; groups++) {
		for (const struct test *test = *groups; test->name; test++) {
			enum verdict verdict;

			if (!wanted(test, words))
				continue;
			verdict = run_one(test, why, sizeof(why));
			totals[verdict]++;
			printf("%s %d - %s%s%s\n", verdict == FAILED ? "not ok" : "ok", ++number,
			       test->name, verdict == SKIPPED ? " # SKIP " : "",
			       verdict == SKIPPED ? why : "");
			fflush(stdout);
		}
	}
	printf("# Totals: pass:%d fail:%d skip:%d\n", totals[PASSED], totals[FAILED],
	       totals[SKIPPED]);
	return totals[FAILED] || !number ? FAILED : PASSED;
}
