/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>

#include "fences.h"
#include "tap.h"

extern const char *module_path;

static const char usage[] =
	"usage: kmod-test [OPTION] [WORD...]\n"
	"Tests of /dev/fencebridge, in the Test Anything Protocol; with WORDs those whose names\n"
	"contain one. Needs root, and the vgem driver.\n"
	"\n"
	"  --kernel         compare: export and import by the kernel's own ioctls (Linux 6.0)\n"
	"  --unload MODULE  just the tests that unload the module, and load it again from this "
	"file\n"
	"  --kasan          do not count the kernel's memory: KASAN keeps what is freed for a "
	"while\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 no test failed; 1 some did, or there was none; 2 wrong usage.\n";

static const struct test *const module_groups[] = { argument_tests, export_tests, import_tests,
						    trap_tests,	    cycle_tests,  limit_tests,
						    thread_tests,   fault_tests,  NULL };
/* The limit, and what a failed allocation may do, are the module's own. */
static const struct test *const kernel_groups[] = { export_tests, import_tests, trap_tests,
						    cycle_tests,  thread_tests, NULL };
static const struct test *const unload_groups[] = { unload_tests, NULL };

/* Opened once, so that a test that opens them first is not taken to leave them open. */
static void open_devices(bool with_fencebridge)
{
	struct buffer buffer = buffer_create();

	buffer_destroy(&buffer);
	syncobj_device();
	if (with_fencebridge)
		device();
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "kernel", no_argument, NULL, 'k' },
						 { "unload", required_argument, NULL, 'u' },
						 { "kasan", no_argument, NULL, 'a' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const struct test *const *groups = module_groups;
	struct rlimit files;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			through_kernel = true;
			groups = kernel_groups;
			break;
		case 'u':
			module_path = optarg;
			groups = unload_groups;
			break;
		case 'a':
			freed_memory_lingers = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	open_devices(groups == module_groups);
	return tap_run(groups, argv + optind);
}
