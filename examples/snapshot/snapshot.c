// SPDX-License-Identifier: MIT
/*
 * Waits for the fences that a dma-buf had at an earlier time. A snapshot of the fences that are on
 * the buffer now, taken with /dev/fencebridge, signals when those have signalled, whatever is
 * attached later.
 *
 * Of this project it needs only kernel-uapi/fencebridge.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fencebridge.h"

#include "give_up.h"
#include "vgem.h"

/* When the first work ends, and how long to wait for it: less than the 10 seconds after which vgem
 * signals its fence by itself. */
#define WORK_MS 300
#define PATIENCE_MS 5000

static const char usage[] =
    "usage: fencebridge-snapshot [--dma-buf-fd N]\n"
    "\n"
    "Takes a snapshot of a buffer's fences with /dev/fencebridge, has newer work attached to the\n"
    "buffer, and waits for the snapshot: it signals when the work before it ends, while the "
    "buffer\n"
    "is still busy. Needs the modules fencebridge and vgem, and as a rule root.\n"
    "\n"
    "  --dma-buf-fd N  tell instead whether a reader and a writer would have to wait for the\n"
    "                  dma-buf that this program has inherited as file descriptor N\n"
    "  --help          this text\n"
    "\n"
    "Exit status: 0 every step went as the text says; 1 a step did not; 2 a call failed, or wrong\n"
    "usage.\n";

/* An observation differed from what the text says. */
static bool contradicted;

void give_up(const char* tried, const char* advice) {
    fprintf(stderr, "fencebridge-snapshot: could not %s: %s\n", tried, strerror(errno));
    if (advice)
        fprintf(stderr, "%s\n", advice);
    exit(COULD_NOT_TRY);
}

static int open_module(void) {
    const int device = open(FENCEBRIDGE_DEVICE, O_RDWR | O_CLOEXEC);
    if (device < 0)
        give_up("open " FENCEBRIDGE_DEVICE,
                errno == EACCES ? "run this as root, or give yourself access by a udev rule"
                                : "load the module: modprobe fencebridge");
    struct fencebridge_query query = {0};
    if (ioctl(device, FENCEBRIDGE_IOCTL_QUERY, &query) != 0)
        give_up("ask " FENCEBRIDGE_DEVICE " for its version", NULL);
    printf(FENCEBRIDGE_DEVICE " has version %u of its interface.\n", query.version);
    return device;
}

static int take_snapshot(int device, int dma_buf, unsigned int flags) {
    struct fencebridge_export export = {.flags = flags, .dma_buf_fd = dma_buf};
    if (ioctl(device, FENCEBRIDGE_IOCTL_EXPORT, &export) != 0)
        give_up("take a snapshot (FENCEBRIDGE_IOCTL_EXPORT)",
                errno == EINVAL ? "is that a dma-buf?" : NULL);
    return export.sync_file_fd;
}

static void attach(int device, int dma_buf, unsigned int flags, int sync_file) {
    const struct fencebridge_import import = {
        .flags = flags, .dma_buf_fd = dma_buf, .sync_file_fd = sync_file};
    if (ioctl(device, FENCEBRIDGE_IOCTL_IMPORT, &import) != 0)
        give_up("attach fences (FENCEBRIDGE_IOCTL_IMPORT)", NULL);
}

/* For a sync_file: whether it has signalled. For a dma-buf: whether its writers have ended. */
static bool is_done(int fd, int timeout_ms) {
    struct pollfd request = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&request, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready < 0 || (request.revents & POLLNVAL))
        give_up("poll", NULL);
    return ready > 0;
}

static void tell(const char* what, bool expected, bool seen, const char* meaning) {
    printf("  %-8s %-9s  %s\n", what, seen ? "done" : "pending", meaning);
    if (seen != expected) {
        printf("  ^ This should be %s.\n", expected ? "done" : "pending");
        contradicted = true;
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Starts a process that signals the fence after WORK_MS, as a device would. So poll() in this
 * process really has to wait. */
static pid_t end_work_later(int vgem, uint32_t fence) {
    const pid_t child = fork();
    if (child < 0)
        give_up("start a process", NULL);
    if (child == 0) {
        usleep(WORK_MS * 1000);
        _exit(vgem_signal(vgem, fence) == 0 ? 0 : 1);
    }
    return child;
}

static void wait_for_the_past(int vgem, uint32_t first_work, int snapshot) {
    const double start = seconds();
    const pid_t child = end_work_later(vgem, first_work);
    const bool done = is_done(snapshot, PATIENCE_MS);
    const double waited = seconds() - start;
    printf("  poll() of the snapshot returned after %.1f s.\n", waited);
    int status = -1;
    if (waitpid(child, &status, 0) != child || status != 0) {
        printf("  The process for the first work could not signal its fence.\n");
        contradicted = true;
    }
    tell("snapshot", true, done && waited >= WORK_MS / 1e3,
         "it waited for the first work, and for that alone");
}

/* Attaches a second writer's fence to the buffer. vgem refuses to do that while the first one is
 * pending. So this takes the fence of another buffer as a sync_file, as a program receives one from
 * a driver or a compositor, and imports it. */
static uint32_t attach_newer_work(int device, int vgem, struct buffer buffer) {
    const struct buffer other = vgem_buffer(vgem);
    const uint32_t fence = vgem_attach_writer(vgem, other);
    const int sync_file = take_snapshot(device, other.dma_buf, FENCEBRIDGE_READ);
    attach(device, buffer.dma_buf, FENCEBRIDGE_WRITE, sync_file);
    close(sync_file);
    return fence;
}

static void tell_story(int device) {
    const int vgem = vgem_open();
    const struct buffer buffer = vgem_buffer(vgem);

    printf("\n1. A buffer that nobody has used.\n");
    tell("buffer", true, is_done(buffer.dma_buf, 0), "a reader could start at once");

    printf("\n2. First work: somebody writes, and has attached a fence for it.\n");
    const uint32_t first_work = vgem_attach_writer(vgem, buffer);
    tell("buffer", false, is_done(buffer.dma_buf, 0), "a reader has to wait");

    printf("\n3. A snapshot of what a reader has to wait for now (FENCEBRIDGE_IOCTL_EXPORT).\n");
    const int snapshot = take_snapshot(device, buffer.dma_buf, FENCEBRIDGE_READ);
    tell("snapshot", false, is_done(snapshot, 0), "it contains the first work");

    printf("\n4. Newer work: a second writer's fence is attached (FENCEBRIDGE_IOCTL_IMPORT).\n");
    const uint32_t newer_work = attach_newer_work(device, vgem, buffer);
    tell("buffer", false, is_done(buffer.dma_buf, 0), "a reader has to wait for both");

    printf("\n5. Waiting for the snapshot. The first work will end in %.1f s.\n", WORK_MS / 1e3);
    wait_for_the_past(vgem, first_work, snapshot);
    tell("buffer", false, is_done(buffer.dma_buf, 0), "the newer work goes on");
    const int second = take_snapshot(device, buffer.dma_buf, FENCEBRIDGE_READ);
    tell("second", false, is_done(second, 0), "a snapshot taken now contains the newer work");

    printf("\n6. The newer work ends.\n");
    if (vgem_signal(vgem, newer_work) != 0)
        give_up("signal the newer work's fence", "did it take longer than 10 seconds to get here?");
    // A container of several fences may signal a moment after the last of them.
    tell("buffer", true, is_done(buffer.dma_buf, PATIENCE_MS), "a reader could start at once");
    tell("second", true, is_done(second, PATIENCE_MS), "and so says the second snapshot");
}

static void describe(int device, int dma_buf) {
    const struct {
        const char* who;
        unsigned int flags;
    } roles[] = {{"reader", FENCEBRIDGE_READ}, {"writer", FENCEBRIDGE_WRITE}};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); ++i) {
        const int snapshot = take_snapshot(device, dma_buf, roles[i].flags);
        printf("a %s %s\n", roles[i].who,
               is_done(snapshot, 0) ? "could start at once" : "has to wait");
        close(snapshot);
    }
}

static int fd_number(const char* text) {
    char* end;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 0 || fcntl((int)number, F_GETFD) < 0) {
        fprintf(stderr, "fencebridge-snapshot: \"%s\" is not an open file descriptor\n", text);
        exit(COULD_NOT_TRY);
    }
    return (int)number;
}

int main(int argc, char** argv) {
    static const struct option options[] = {
        {"dma-buf-fd", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {0}};
    int dma_buf = -1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'd') {
            dma_buf = fd_number(optarg);
        } else {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : COULD_NOT_TRY;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return COULD_NOT_TRY;
    }
    // Line buffering, so that these lines appear before those of an error that may follow.
    setvbuf(stdout, NULL, _IOLBF, 0);
    const int device = open_module();
    if (dma_buf >= 0)
        describe(device, dma_buf);
    else
        tell_story(device);
    return contradicted ? NOT_AS_TOLD : 0;
}
