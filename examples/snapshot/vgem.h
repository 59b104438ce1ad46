// SPDX-License-Identifier: MIT
/*
 * vgem, the kernel's DRM driver without hardware: its buffers are memory, its jobs are fences that
 * nothing stands behind but the program that attached them.
 */
#ifndef SNAPSHOT_VGEM_H
#define SNAPSHOT_VGEM_H

#include <stdint.h>

/* A buffer of vgem's. */
struct buffer {
    uint32_t handle;
    int dma_buf;
};

/* Opens vgem's device and tells its name, or ends the program. */
int vgem_open(void);

/* A small buffer and its dma-buf, or the end of the program. */
struct buffer vgem_buffer(int vgem);

/* Attaches a fence as a writer's, for vgem_signal(). The kernel signals it after 10 seconds. */
uint32_t vgem_attach_writer(int vgem, struct buffer buffer);

/* @return 0, or -1 with errno */
int vgem_signal(int vgem, uint32_t fence);

#endif
