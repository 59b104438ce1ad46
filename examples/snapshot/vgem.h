// SPDX-License-Identifier: MIT
/*
 * vgem, the kernel's DRM driver without hardware. Its buffers are ordinary memory. It has no jobs:
 * a program attaches a fence to a buffer, and signals that fence itself.
 */
#ifndef SNAPSHOT_VGEM_H
#define SNAPSHOT_VGEM_H

#include <stdint.h>

/* A vgem buffer. */
struct buffer {
    uint32_t handle;
    int dma_buf;
};

/* Opens vgem's device and prints its name. Exits on failure. */
int vgem_open(void);

/* Creates a small buffer and its dma-buf. Exits on failure. */
struct buffer vgem_buffer(int vgem);

/* Attaches a writer's fence. vgem_signal() signals it. If nobody does, vgem signals it after 10
 * seconds. */
uint32_t vgem_attach_writer(int vgem, struct buffer buffer);

/* @return 0, or -1 with errno */
int vgem_signal(int vgem, uint32_t fence);

#endif
