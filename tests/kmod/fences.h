/* SPDX-License-Identifier: MIT */
/*
 * Buffers and fences for the tests, and the two calls under test.
 *
 * Every kernel has vgem, whose buffers are dma-bufs and whose fences a program attaches and signals
 * at will (they signal by themselves after 10 seconds). Fences of one timeline need sw_sync; chains
 * of fences need a device with timeline syncobjs.
 *
 * All functions end the test when something does not work that has to.
 */
#ifndef FENCEBRIDGE_TEST_FENCES_H
#define FENCEBRIDGE_TEST_FENCES_H

#include <stdbool.h>
#include <stdint.h>

#include <fencebridge.h>

/*
 * The calls go through /dev/fencebridge, or, where the kernel has them itself and a test was asked
 * to compare, to the dma-buf. 0, or -1 and errno.
 */
extern bool through_kernel;
int try_export(int dma_buf, uint32_t flags, int *sync_file);
int try_import(int dma_buf, uint32_t flags, int sync_file);
/* KASAN keeps what is freed for a while: that kernel's memory is not counted. */
extern bool freed_memory_lingers;

/* The device, opened at the first use, and closed again. */
int device(void);
void device_close(void);

/* A snapshot, owned by the caller. */
int snapshot(int dma_buf, uint32_t flags);
void attach(int dma_buf, uint32_t flags, int sync_file);

/* Whether poll() says that a dma-buf (POLLIN, POLLOUT) or sync_file (POLLIN) is ready. */
bool ready(int fd, short events);
/* Waits for that, and fails after some seconds. */
void wait_ready(int fd, short events);
/* Whether a snapshot taken now has signalled. */
bool idle_for(int dma_buf, uint32_t flags);
/* SYNC_IOC_FILE_INFO: how many fences a sync_file consists of. */
int fences_in(int sync_file);
/* SYNC_IOC_MERGE. A new sync_file. */
int merge(int one, int other);

/* A buffer of vgem's. */
struct buffer {
	uint32_t handle;
	int dma_buf;
	int held[4]; /* see driver_begins() */
	int held_count;
};

struct buffer buffer_create(void);
void buffer_destroy(struct buffer *buffer);
/* How many references the kernel holds on a dma-buf, this descriptor's included. */
long buffer_references(int dma_buf);
/* How many fences the reservation object of a dma-buf has, signalled ones included. */
int fences_on(int dma_buf);

/*
 * Work that vgem, as the buffer's driver, does on it: a fence that it attaches to the buffer
 * itself. vgem refuses (false, EBUSY) while there are fences that this work would have to wait for;
 * what it asks for that is what TTM asks before it gives memory away: dma_resv_test_signaled().
 *
 * The buffer holds on to the fence, since vgem must not be the one to free it from an interrupt,
 * where an array that signals may give up the last reference: it waits for a timer there.
 */
bool driver_begins(struct buffer *buffer, bool write, uint32_t *work);
void driver_ends(uint32_t work);

/* Work whose end is a sync_file, with a timeline of its own: of sw_sync, or else of vgem. */
struct work {
	int sync_file;
	int timeline;
	struct buffer buffer;
	uint32_t fence;
};

struct work work_begin(void);
void work_end(struct work *work); /* signals */
void work_free(struct work *work);

/* A timeline whose fences signal when the test says so. Skips the test where there is no sw_sync.
 */
int timeline_create(void);
int timeline_fence(int timeline, uint32_t value); /* a sync_file */
void timeline_advance(int timeline, uint32_t by);

/* A DRM device that has timeline syncobjs, kept open; -1 when there is none. */
int syncobj_device(void);
/*
 * A timeline syncobj with points 1, 2, ... made of these sync_files, as a sync_file of its last
 * point: a chain. Skips the test where no device has timeline syncobjs.
 */
int chain_of(const int *sync_files, int count);

#endif
