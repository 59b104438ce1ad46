/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>

#include "fences.h"
#include "tap.h"

extern const char *module_path;

static const char usage[] =
	"usage: kmod-test [OPTION] [WORD...]\n"
	"Runs the tests of /dev/fencebridge, or those whose names contain one of the WORDs. The\n"
	"output is in the Test Anything Protocol. Needs root, and the vgem driver.\n"
	"\n"
	"  --kernel         export and import by the kernel's own ioctls (Linux 6.0)\n"
	"  --unload MODULE  run only the tests that unload the module and load it from this file\n"
	"  --kasan          do not measure kernel memory, because KASAN delays freeing\n"
	"  --help           print this text\n"
	"\n"
	"Exit status: 0 all tests passed; 1 a test failed, or none was run; 2 wrong usage.\n";

static const struct test *const module_groups[] = { argument_tests, export_tests, import_tests,
						    trap_tests,	    cycle_tests,  limit_tests,
						    thread_tests,   fault_tests,  NULL };
/* The kernel's own ioctls have other limits, and other behaviour when allocations fail. */
static const struct test *const kernel_groups[] = { export_tests, import_tests, trap_tests,
						    cycle_tests,  thread_tests, NULL };
static const struct test *const unload_groups[] = { unload_tests, NULL };

/* Opens devices that stay open, so that the runner does not count them as leaks of a test. */
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
