/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Export and import of the fences of a reservation object (struct dma_resv).
 *
 * resv-usage.c implements these functions with enum dma_resv_usage, on 5.19 and later.
 * resv-exclusive.c implements them with the exclusive fence and the shared fences of earlier
 * kernels.
 */
#ifndef FENCEBRIDGE_RESV_H
#define FENCEBRIDGE_RESV_H

#include <linux/types.h>

struct dma_fence;
struct dma_resv;
struct fbr_fences;

/**
 * fbr_resv_features - which features depend on the kernel's reservation objects
 *
 * Context: any.
 * Return: FENCEBRIDGE_FEATURE_USAGE, or 0.
 */
u64 fbr_resv_features(void);

/**
 * fbr_resv_snapshot - get the fences that a new reader or writer must wait for, as one fence
 * @resv: the reservation object; the caller must not hold its lock
 * @write: true for the fences that a writer must wait for: those of writers and of readers; false
 *         for those that a reader must wait for: those of writers
 * @snapshot: set to the fence, whose reference the caller owns; NULL if no fence is pending
 *
 * Either way, the fences of the kernel itself, such as those of buffer moves, are included.
 *
 * Context: process, may sleep; does not wait for fences.
 * Return: 0; -ENOMEM; or, before 5.19, -E2BIG if there are more than FBR_MAX_FENCES fences, or if
 * containers exceed the limits on unwrapping (fences.c).
 */
int fbr_resv_snapshot(struct dma_resv *resv, bool write, struct dma_fence **snapshot);

/**
 * fbr_resv_attach - add fences that later users of the buffer wait for
 * @resv: the reservation object; the caller must not hold its lock
 * @fences: the fences, without containers; unchanged
 * @write: true to add them as fences of a writer, for which readers and writers wait; false as
 *         fences of a reader, for which writers wait
 *
 * All fences that @resv had before stay in effect.
 *
 * Context: process, may sleep; acquires the lock of @resv; does not wait for fences.
 * Return: 0; -ENOMEM; or, before 5.19, -E2BIG as fbr_resv_snapshot(), for @fences and the fences of
 * @resv together. After an error @resv is unchanged.
 */
int fbr_resv_attach(struct dma_resv *resv, const struct fbr_fences *fences, bool write);

#endif
