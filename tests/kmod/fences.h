/* SPDX-License-Identifier: MIT */
/*
 * Buffers and fences for the tests, and the two calls under test.
 *
 * The buffers are dma-bufs of vgem, which all kernels of the lab have. A program can attach a fence
 * to such a buffer and signal it; vgem signals it after 10 seconds otherwise. Several fences of one
 * context require sw_sync. Chains of fences require a device with timeline syncobjs.
 *
 * If a system call fails unexpectedly, the functions make the test fail and end it.
 */
#ifndef FENCEBRIDGE_TEST_FENCES_H
#define FENCEBRIDGE_TEST_FENCES_H

#include <stdbool.h>
#include <stdint.h>

#include <fencebridge.h>

/*
 * Export and import. If through_kernel is set, by the kernel's own ioctls of the dma-buf, else by
 * those of /dev/fencebridge. Return 0, or -1 and errno.
 */
extern bool through_kernel;
int try_export(int dma_buf, uint32_t flags, int *sync_file);
int try_import(int dma_buf, uint32_t flags, int sync_file);
/* KASAN delays freeing. If this is set, kernel_memory() in cycles_test.c measures nothing. */
extern bool freed_memory_lingers;

/* Returns an fd of /dev/fencebridge, which the first call opens. device_close() closes it. */
int device(void);
void device_close(void);

/* Export and import that must succeed. The caller owns the sync_file of the export. */
int snapshot(int dma_buf, uint32_t flags);
void attach(int dma_buf, uint32_t flags, int sync_file);

/* Whether poll() reports these events: POLLIN or POLLOUT of a dma-buf, POLLIN of a sync_file. */
bool ready(int fd, short events);
/* Waits until poll() reports these events. The test fails after 9 seconds. */
void wait_ready(int fd, short events);
/* Whether a new snapshot has signalled already. */
bool idle_for(int dma_buf, uint32_t flags);
/* The number of fences in a sync_file (SYNC_IOC_FILE_INFO). */
int fences_in(int sync_file);
/* Returns a new sync_file with the fences of both (SYNC_IOC_MERGE). */
int merge(int one, int other);

/* A buffer of vgem. */
struct buffer {
	uint32_t handle;
	int dma_buf;
	int held[4]; /* see driver_begins() */
	int held_count;
};

struct buffer buffer_create(void);
void buffer_destroy(struct buffer *buffer);
/* The number of references to a dma-buf, including that of this fd. */
long buffer_references(int dma_buf);
/* The number of fences of a dma-buf's reservation object, including signalled ones. */
int fences_on(int dma_buf);

/*
 * driver_begins() makes vgem, the driver of the buffer, attach a fence to it, as a driver does when
 * it starts work. driver_ends() signals that fence.
 *
 * If fences are pending that such work has to wait for, vgem does not attach a fence, and
 * driver_begins() returns false. vgem checks this with dma_resv_test_signaled(), which TTM also
 * calls before it reuses memory.
 *
 * struct buffer keeps a sync_file of the fence. Otherwise an array that signals in an interrupt
 * might release the last reference, and vgem waits for a timer when it frees a fence, which is not
 * allowed in an interrupt.
 */
bool driver_begins(struct buffer *buffer, bool write, uint32_t *work);
void driver_ends(uint32_t work);

/*
 * A fence in a context of its own, as a sync_file. The fence is one of sw_sync, or of vgem on
 * kernels without sw_sync. work_begin() creates it, work_end() signals it.
 */
struct work {
	int sync_file;
	int timeline;
	struct buffer buffer;
	uint32_t fence;
};

struct work work_begin(void);
void work_end(struct work *work);
void work_free(struct work *work);

/*
 * A timeline of sw_sync. timeline_fence() returns a sync_file that signals when the timeline has
 * advanced to the value. On kernels without sw_sync the test is skipped.
 */
int timeline_create(void);
int timeline_fence(int timeline, uint32_t value);
void timeline_advance(int timeline, uint32_t by);

/* Returns an fd of a DRM device with timeline syncobjs, which stays open, or -1. */
int syncobj_device(void);
/*
 * Imports the sync_files as the points 1, 2, ... of a timeline syncobj and returns a sync_file of
 * the last point, which is a dma_fence_chain. If no device has timeline syncobjs, the test is
 * skipped.
 */
int chain_of(const int *sync_files, int count);

#endif
