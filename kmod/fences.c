// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of fences, and the unwrapping of containers.
 *
 * A fence may be a container of other fences: a dma_fence_array or a dma_fence_chain. Containers
 * can contain containers. Before 5.18, userspace can nest them to any depth with timeline syncobjs,
 * and can put one container into several others. dma_fence_unwrap_for_each(), which the kernel has
 * since 5.18, unwraps one chain and the arrays in its links, and nothing that is nested more
 * deeply.
 *
 * fbr_fences_add() therefore unwraps nested containers with a loop and a stack of its own, without
 * recursion. The size of the stack and the number of steps are limited.
 */
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "fences.h"

#define FBR_MAX_STACK 4096  /* fences that wait to be unwrapped */
#define FBR_MAX_STEPS 65536 /* fences unwrapped by one call of fbr_fences_add() */

void fbr_fences_put(struct fbr_fences *fences)
{
	while (fences->count)
		dma_fence_put(fences->fence[--fences->count]);
	kfree(fences->fence);
	fences->fence = NULL;
	fences->room = 0;
}

/*
 * Appends a fence. Consumes the caller's reference to @fence, also on failure.
 * Returns 0, -ENOMEM, or -E2BIG if the set has @max fences already.
 */
static int fbr_fences_push(struct fbr_fences *fences, struct dma_fence *fence, unsigned int max)
{
	if (fences->count == fences->room) {
		unsigned int room = min(max(4u, 2 * fences->room), max);
		struct dma_fence **grown;

		if (fences->count >= max) {
			dma_fence_put(fence);
			return -E2BIG;
		}
		grown = krealloc(fences->fence, array_size(room, sizeof(*grown)),
				 GFP_KERNEL | __GFP_NOWARN);
		if (!grown) {
			dma_fence_put(fence);
			return -ENOMEM;
		}
		fences->fence = grown;
		fences->room = room;
	}
	fences->fence[fences->count++] = fence;
	return 0;
}

struct dma_fence **fbr_fences_find(const struct fbr_fences *fences, struct dma_fence *fence)
{
	unsigned int i;

	for (i = 0; i < fences->count; i++) {
		struct dma_fence *other = fences->fence[i];

		if (other == fence)
			return &fences->fence[i];
		if (fence->context && other->context == fence->context &&
		    other->seqno != fence->seqno)
			return &fences->fence[i];
	}
	return NULL;
}

/* Adds a fence that is not a container. Consumes the caller's reference to @fence. */
static int fbr_fences_add_leaf(struct fbr_fences *fences, struct dma_fence *fence)
{
	struct dma_fence **same;

	if (dma_fence_is_signaled(fence)) {
		dma_fence_put(fence);
		return 0;
	}
	same = fbr_fences_find(fences, fence);
	if (!same)
		return fbr_fences_push(fences, fence, FBR_MAX_FENCES);
	/* The fences of a context signal in order, so the later one implies the earlier one. */
	if (dma_fence_is_later(fence, *same))
		swap(*same, fence);
	dma_fence_put(fence);
	return 0;
}

/*
 * Pushes the fences in a container to @stack, or adds a fence that is not a container to the set.
 * Consumes the caller's reference to @fence.
 */
static int fbr_fences_unwrap(struct fbr_fences *fences, struct fbr_fences *stack,
			     struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;
	int ret = 0;

	if (chain) {
		struct dma_fence *link = dma_fence_get(chain->fence);
		struct dma_fence *prev = dma_fence_chain_walk(fence);

		/*
		 * The fence of this link goes on top of the rest of the chain and is popped first.
		 * So a long chain of plain fences needs only two entries of the stack.
		 */
		if (prev)
			ret = fbr_fences_push(stack, prev, FBR_MAX_STACK);
		if (ret)
			dma_fence_put(link);
		else
			ret = fbr_fences_push(stack, link, FBR_MAX_STACK);
		return ret;
	}
	if (array) {
		for (i = 0; i < array->num_fences && !ret; i++) {
			struct dma_fence *part = array->fences[i];

			if (!dma_fence_is_signaled(part))
				ret = fbr_fences_push(stack, dma_fence_get(part), FBR_MAX_STACK);
		}
		dma_fence_put(fence);
		return ret;
	}
	return fbr_fences_add_leaf(fences, fence);
}

int fbr_fences_add(struct fbr_fences *fences, struct dma_fence *head)
{
	struct fbr_fences stack = {};
	unsigned int steps = 1;
	int ret;

	ret = fbr_fences_unwrap(fences, &stack, dma_fence_get(head));
	while (!ret && stack.count) {
		cond_resched();
		if (++steps > FBR_MAX_STEPS)
			ret = -E2BIG;
		else
			ret = fbr_fences_unwrap(fences, &stack, stack.fence[--stack.count]);
	}
	fbr_fences_put(&stack);
	return ret;
}

int fbr_fences_add_all(struct fbr_fences *fences, const struct fbr_fences *others)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < others->count && !ret; i++)
		ret = fbr_fences_add(fences, others->fence[i]);
	return ret;
}
