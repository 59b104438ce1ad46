/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that differs between kernels.
 *
 * The module needs two operations on a dma-buf's reservation object: fbr_resv_snapshot() and
 * fbr_resv_attach(). Since 5.19 the object keeps with every fence who has to wait for it, and both
 * are a few calls. Before, it has one exclusive fence and a list of shared ones, and code all over
 * the kernel relies on rules that dma_resv_add_*_fence() leave to their callers:
 *
 *  - Before 5.16, poll(), and before 5.15, TTM look at the exclusive fence only while there is no
 *    shared one. So a shared fence added beside an exclusive one hides that: memory would be reused
 *    that the kernel is still moving, which is the information leak that this module has to avoid.
 *  - dma_resv_add_excl_fence() drops all shared fences and the old exclusive one.
 *  - dma_resv_add_shared_fence() drops a fence of the same timeline, even for an earlier one.
 *
 * So nothing is added but arrays of fences, on timelines of their own. docs/kernel.md draws it:
 *
 *  as a reader's  R = the exclusive fence + the earlier R + new, as a shared fence
 *  as a writer's  W = the exclusive fence + new, as a shared fence and as the exclusive one
 *
 * Every R contains the R before it, whose place it takes, and likewise every W. Whoever
 * looks at shared fences alone sees W or R, and in it the exclusive fence. A reader waits for W,
 * so not for other readers.
 */
#ifndef FENCEBRIDGE_COMPAT_H
#define FENCEBRIDGE_COMPAT_H

#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/spinlock.h>

#include "fences.h"
#include "kernel-has.h"

#ifdef FENCEBRIDGE_KERNEL_HAS_IMPORT_NS_IDENTIFIER
MODULE_IMPORT_NS(DMA_BUF);
#else
MODULE_IMPORT_NS("DMA_BUF");
#endif

#ifdef FENCEBRIDGE_KERNEL_HAS_RESV_USAGE

#define FBR_KERNEL_FEATURES FENCEBRIDGE_FEATURE_USAGE

/**
 * fbr_resv_snapshot - what somebody who uses a buffer now must wait for, as one fence
 * @resv: the buffer's reservation object, not locked
 * @write: as a writer, who waits for readers as well
 * @snapshot: set to the fence, the caller's then, or to NULL when there is nothing to wait for
 *
 * Return: 0, -ENOMEM, or -E2BIG for more than FBR_MAX_FENCES (before 5.19).
 */
static inline int fbr_resv_snapshot(struct dma_resv *resv, bool write, struct dma_fence **snapshot)
{
	return dma_resv_get_singleton(resv, dma_resv_usage_rw(write), snapshot);
}

/**
 * fbr_resv_attach - add fences for later users of a buffer to wait for
 * @resv: the buffer's reservation object, not locked
 * @fences: the fences; still the caller's
 * @write: as a writer's, for which readers wait as well
 *
 * Whoever waited for a fence of @resv before still does. Return: as fbr_resv_snapshot(); then
 * nothing was added.
 */
static inline int fbr_resv_attach(struct dma_resv *resv, const struct fbr_fences *fences,
				  bool write)
{
	enum dma_resv_usage usage = write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
	unsigned int i;
	int ret;

	if (!fences->count)
		return 0;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, fences->count);
	for (i = 0; i < fences->count && !ret; i++)
		dma_resv_add_fence(resv, fences->fence[i], usage);
	dma_resv_unlock(resv);
	return ret;
}

#else /* an exclusive fence and shared ones */

#define FBR_KERNEL_FEATURES 0

/*
 * Timelines for our arrays come from ranges of this size, by which we know them again. Arrays from
 * an earlier range, or from before the module was loaded anew, are taken for somebody else's, which
 * costs a slot until they have signalled, and nothing else.
 */
#define FBR_TIMELINES 0x80000000u

static DEFINE_SPINLOCK(fbr_timelines_lock); /* guards the range: given out are first to next */
static u64 fbr_timelines_first, fbr_timelines_next, fbr_timelines_end;

static inline u64 fbr_new_timeline(void)
{
	u64 timeline;

	spin_lock(&fbr_timelines_lock);
	if (fbr_timelines_next == fbr_timelines_end) {
		fbr_timelines_first = dma_fence_context_alloc(FBR_TIMELINES);
		fbr_timelines_next = fbr_timelines_first;
		fbr_timelines_end = fbr_timelines_first + FBR_TIMELINES;
	}
	timeline = fbr_timelines_next++;
	spin_unlock(&fbr_timelines_lock);
	return timeline;
}

/*
 * A point on the timeline of the array whose place is to be taken, or on a new one. Points of all
 * timelines are counted together, since the array found in a list need not be the last that was put
 * there. Called with the reservation object locked.
 */
static inline void fbr_next_point(struct dma_fence *predecessor, u64 *timeline, u32 *point)
{
	static atomic_t last;

	*point = atomic_inc_return(&last);
	if (predecessor && (s32)(*point - (u32)predecessor->seqno) > 0)
		*timeline = predecessor->context;
	else
		*timeline = fbr_new_timeline();
}

static inline bool fbr_is_ours(struct dma_fence *fence)
{
	bool ours;

	spin_lock(&fbr_timelines_lock);
	ours = fence->context >= fbr_timelines_first && fence->context < fbr_timelines_next;
	spin_unlock(&fbr_timelines_lock);
	return ours && dma_fence_is_array(fence);
}

/* All fences, signalled ones too, of a resv that may be locked. */
static inline int fbr_resv_get_all(struct dma_resv *resv, struct fbr_fences *all)
{
	int ret;

#if defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_WRITE)
	ret = dma_resv_get_fences(resv, true, &all->count, &all->fence);
#elif defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES)
	ret = dma_resv_get_fences(resv, NULL, &all->count, &all->fence);
#elif defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_RCU)
	ret = dma_resv_get_fences_rcu(resv, NULL, &all->count, &all->fence);
#else
#error "this kernel's <linux/dma-resv.h> is like none that fencebridge knows"
#endif
	all->room = all->count;
	return ret;
}

static inline struct dma_fence *fbr_resv_get_exclusive(struct dma_resv *resv)
{
	struct dma_fence *exclusive;

	rcu_read_lock();
	exclusive = dma_fence_get_rcu_safe(&resv->fence_excl);
	rcu_read_unlock();
	return exclusive;
}

/* Takes over what is in the set, also when it fails. */
static inline struct dma_fence *fbr_array_create(struct fbr_fences *fences, u64 timeline,
						 unsigned int seqno)
{
	struct dma_fence_array *array;

	array = dma_fence_array_create(fences->count, fences->fence, timeline, seqno, false);
	if (!array) {
		fbr_fences_put(fences);
		return NULL;
	}
	*fences = (struct fbr_fences){};
	return &array->base;
}

static inline int fbr_resv_snapshot(struct dma_resv *resv, bool write, struct dma_fence **snapshot)
{
	struct fbr_fences flat = {}, found = {};
	unsigned int i;
	int ret = 0;

	*snapshot = NULL;
	if (write) {
		ret = fbr_resv_get_all(resv, &found);
	} else {
		struct dma_fence *exclusive = fbr_resv_get_exclusive(resv);

		if (exclusive)
			ret = fbr_fences_push(&found, exclusive, 1);
	}
	/* Flat, or snapshots that are attached and snapshot again would nest without end. */
	for (i = 0; i < found.count && !ret; i++)
		ret = fbr_fences_add(&flat, found.fence[i]);
	fbr_fences_put(&found);
	if (!ret && flat.count == 1) {
		*snapshot = dma_fence_get(flat.fence[0]);
	} else if (!ret && flat.count > 1) {
		*snapshot = fbr_array_create(&flat, dma_fence_context_alloc(1), 1);
		ret = *snapshot ? 0 : -ENOMEM;
	}
	fbr_fences_put(&flat);
	return ret;
}

/*
 * The array that a new one takes the place of: a writer's is the exclusive fence, a reader's is
 * among the shared ones. A reference, or NULL.
 */
static inline struct dma_fence *fbr_predecessor(const struct fbr_fences *all,
						struct dma_fence *exclusive, bool write)
{
	unsigned int i;

	if (write)
		return exclusive && fbr_is_ours(exclusive) ? dma_fence_get(exclusive) : NULL;
	for (i = 0; i < all->count; i++) {
		struct dma_fence *fence = all->fence[i];

		/* Earlier writers' arrays, which the exclusive one contains. */
		if (exclusive && fence->context == exclusive->context)
			continue;
		if (fbr_is_ours(fence) && !dma_fence_is_signaled(fence))
			return dma_fence_get(fence);
	}
	return NULL;
}

/* Whether an array that is attached already contains all of a set. */
static inline bool fbr_covers(struct dma_fence *attached, const struct fbr_fences *fences)
{
	struct dma_fence_array *array = to_dma_fence_array(attached);
	const struct fbr_fences content = { array->fences, array->num_fences };
	unsigned int i;

	for (i = 0; i < fences->count; i++) {
		struct dma_fence **same = fbr_fences_find(&content, fences->fence[i]);

		if (!same || dma_fence_is_later(fences->fence[i], *same))
			return false;
	}
	return true;
}

/* The one place that writes to a reservation object. @array is the caller's still. */
static inline void fbr_resv_publish(struct dma_resv *resv, struct dma_fence *array, bool write)
{
	struct dma_fence *old;

	/* 5.18 warns of arrays among the shared fences, and looks at the exclusive one in any case.
	 */
#ifndef FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_WRITE
	dma_resv_add_shared_fence(resv, array);
	if (!write)
		return;
#endif
	/* As dma_resv_add_excl_fence(), which would drop the shared fences. */
	write_seqcount_begin(&resv->seq);
	old = rcu_dereference_protected(resv->fence_excl, dma_resv_held(resv));
	rcu_assign_pointer(resv->fence_excl, dma_fence_get(array));
	write_seqcount_end(&resv->seq);
	dma_fence_put(old);
}

/* What the array to be attached has to consist of, and its predecessor. */
static inline int fbr_resv_plan(struct dma_resv *resv, const struct fbr_fences *fences, bool write,
				struct fbr_fences *content, struct dma_fence **predecessor)
{
	struct dma_fence *exclusive = fbr_resv_get_exclusive(resv);
	struct fbr_fences all = {};
	unsigned int i;
	int ret;

	ret = fbr_resv_get_all(resv, &all);
	if (!ret && exclusive)
		ret = fbr_fences_add(content, exclusive);
	for (i = 0; i < fences->count && !ret; i++)
		ret = fbr_fences_add(content, fences->fence[i]);
	*predecessor = ret ? NULL : fbr_predecessor(&all, exclusive, write);
	if (*predecessor)
		ret = fbr_fences_add(content, *predecessor);
	fbr_fences_put(&all);
	dma_fence_put(exclusive);
	return ret;
}

static inline int fbr_resv_attach_locked(struct dma_resv *resv, const struct fbr_fences *fences,
					 bool write)
{
	struct dma_fence *predecessor = NULL, *array;
	struct fbr_fences content = {};
	u64 timeline;
	u32 point;
	int ret;

	ret = fbr_resv_plan(resv, fences, write, &content, &predecessor);
	if (ret || !content.count || (predecessor && fbr_covers(predecessor, &content)))
		goto out;
	ret = dma_resv_reserve_shared(resv, 1);
	if (ret)
		goto out;
	fbr_next_point(predecessor, &timeline, &point);
	array = fbr_array_create(&content, timeline, point);
	if (!array) {
		ret = -ENOMEM;
		goto out;
	}
	/* An array finds out that it has signalled only once somebody waits, and TTM just tests. */
	dma_fence_enable_sw_signaling(array);
	fbr_resv_publish(resv, array, write);
	dma_fence_put(array);
out:
	dma_fence_put(predecessor);
	fbr_fences_put(&content);
	return ret;
}

static inline int fbr_resv_attach(struct dma_resv *resv, const struct fbr_fences *fences,
				  bool write)
{
	int ret;

#ifdef FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_WRITE
	write = true; /* see fbr_resv_publish() */
#endif
	if (!fences->count)
		return 0;
	dma_resv_lock(resv, NULL);
	ret = fbr_resv_attach_locked(resv, fences, write);
	dma_resv_unlock(resv);
	return ret;
}

#endif
#endif
