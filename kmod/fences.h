/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of fences: flat, unsignalled, and at most one of each timeline.
 *
 * A fence may be a container of others (an array, a chain), and those may be containers again: with
 * timeline syncobjs, userspace can nest them as deep as it likes before 5.18, and share parts. So
 * they are taken apart here by a loop with a stack of its own, and both stack and loop are bounded.
 */
#ifndef FENCEBRIDGE_FENCES_H
#define FENCEBRIDGE_FENCES_H

#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Of one set. An array of so many, with its callbacks, is still an allocation of order 3. */
#define FBR_MAX_FENCES 1000

/* Of containers that are taken apart: waiting on the stack, and altogether. */
#define FBR_MAX_STACK 4096
#define FBR_MAX_STEPS 65536

/**
 * struct fbr_fences - a growing list of fences
 * @fence: the fences, a reference held on each; from kmalloc(), as dma_fence_array wants it
 * @count: how many there are
 * @room: how many fit into @fence
 *
 * Initialise with zeros, end with fbr_fences_put().
 */
struct fbr_fences {
	struct dma_fence **fence;
	unsigned int count;
	unsigned int room;
};

static inline void fbr_fences_put(struct fbr_fences *fences)
{
	while (fences->count)
		dma_fence_put(fences->fence[--fences->count]);
	kfree(fences->fence);
	fences->fence = NULL;
	fences->room = 0;
}

/* Takes over the caller's reference, also when it fails: -ENOMEM, or -E2BIG beyond @max. */
static inline int fbr_fences_push(struct fbr_fences *fences, struct dma_fence *fence,
				  unsigned int max)
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

/*
 * The fence of the set that stands for this one as well, or that this one stands for: itself, or
 * another of its timeline. Fences without an order between them are kept both. Such are those of
 * context 0, which i915 gives to all of its own work.
 */
static inline struct dma_fence **fbr_fences_find(const struct fbr_fences *fences,
						 struct dma_fence *fence)
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

/* Takes over the reference to a fence that is no container. */
static inline int fbr_fences_add_leaf(struct fbr_fences *fences, struct dma_fence *fence)
{
	struct dma_fence **same;

	if (dma_fence_is_signaled(fence)) {
		dma_fence_put(fence);
		return 0;
	}
	same = fbr_fences_find(fences, fence);
	if (!same)
		return fbr_fences_push(fences, fence, FBR_MAX_FENCES);
	/* Fences of a timeline signal in order: the later one stands for both. */
	if (dma_fence_is_later(fence, *same))
		swap(*same, fence);
	dma_fence_put(fence);
	return 0;
}

/* A container's parts go to the stack, anything else into the set. Takes over the reference. */
static inline int fbr_fences_take_apart(struct fbr_fences *fences, struct fbr_fences *stack,
					struct dma_fence *fence)
{
	struct dma_fence_chain *chain = to_dma_fence_chain(fence);
	struct dma_fence_array *array = to_dma_fence_array(fence);
	unsigned int i;
	int ret = 0;

	if (chain) {
		struct dma_fence *link = dma_fence_get(chain->fence);
		struct dma_fence *prev = dma_fence_chain_walk(fence);

		/* The link on top, so that a long chain does not pile up on the stack. */
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

/**
 * fbr_fences_add - add what has not signalled of a fence, taken apart if it is a container
 * @fences: the set
 * @head: the fence; still the caller's
 *
 * May sleep. Return: 0, -ENOMEM, or -E2BIG when the set or the containers are too large; then the
 * set holds some part of @head.
 */
static inline int fbr_fences_add(struct fbr_fences *fences, struct dma_fence *head)
{
	struct fbr_fences stack = {};
	unsigned int steps = 1;
	int ret;

	ret = fbr_fences_take_apart(fences, &stack, dma_fence_get(head));
	while (!ret && stack.count) {
		cond_resched();
		if (++steps > FBR_MAX_STEPS)
			ret = -E2BIG;
		else
			ret = fbr_fences_take_apart(fences, &stack, stack.fence[--stack.count]);
	}
	fbr_fences_put(&stack);
	return ret;
}

#endif
