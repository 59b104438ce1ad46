/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of fences. fbr_fences_add() unwraps containers; fences.c describes how.
 */
#ifndef FENCEBRIDGE_FENCES_H
#define FENCEBRIDGE_FENCES_H

#include <linux/dma-fence.h>

/*
 * The maximum number of fences in a set. A dma_fence_array for 1000 fences, with a callback for
 * each, is an allocation of order 3, which is PAGE_ALLOC_COSTLY_ORDER. Allocations of a higher
 * order may fail.
 */
#define FBR_MAX_FENCES 1000

/**
 * struct fbr_fences - a set of fences
 * @fence: the fences, with a reference to each; from kmalloc(), for dma_fence_array_create()
 * @count: the number of fences
 * @room: the number of fences for which @fence has memory
 *
 * A set that fbr_fences_add() filled contains no containers (dma_fence_array, dma_fence_chain). Of
 * the ordered fences of one context it contains only the latest.
 *
 * A set is initialised with zeros and released by fbr_fences_put(). The caller serialises access.
 */
struct fbr_fences {
	struct dma_fence **fence;
	unsigned int count;
	unsigned int room;
};

/**
 * fbr_fences_put - release a set
 * @fences: the set; empty and reusable afterwards
 *
 * Releases the references to all fences and frees the memory of the list.
 *
 * Context: process. May be called with the lock of a reservation object held.
 */
void fbr_fences_put(struct fbr_fences *fences);

/**
 * fbr_fences_add - add a fence, or the fences that a container consists of
 * @fences: the set
 * @head: a fence or a container; the set gets references of its own
 *
 * Fences that have signalled are not added.
 *
 * Context: process, may sleep. May be called with the lock of a reservation object held.
 * Return: 0; -ENOMEM; or -E2BIG if the set would exceed FBR_MAX_FENCES, or if the container exceeds
 * the limits on unwrapping. After an error the set may contain some of the fences of @head.
 */
int fbr_fences_add(struct fbr_fences *fences, struct dma_fence *head);

/**
 * fbr_fences_add_all - add each fence of another set, which may contain containers
 * @fences: the set
 * @others: the fences to add, as by fbr_fences_add(); unchanged
 *
 * Context: as fbr_fences_add().
 * Return: as fbr_fences_add().
 */
int fbr_fences_add_all(struct fbr_fences *fences, const struct fbr_fences *others);

/**
 * fbr_fences_find - find a fence, or another fence of its context
 * @fences: the set
 * @fence: the fence to find, not a container
 *
 * Two fences of one context are ordered if their seqnos differ. Fences with equal seqnos, and
 * fences of context 0, have no order: i915 initialises the fences of struct dma_fence_work with
 * context 0 and seqno 0. Such a fence is found only if @fence is the same fence.
 *
 * Context: any.
 * Return: a pointer into @fences->fence: to @fence, or to a fence of the same context that is
 * ordered with @fence. NULL if the set has neither.
 */
struct dma_fence **fbr_fences_find(const struct fbr_fences *fences, struct dma_fence *fence);

#endif
