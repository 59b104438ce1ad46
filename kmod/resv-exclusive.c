// SPDX-License-Identifier: GPL-2.0-only
/*
 * Export and import before 5.19, where a reservation object has one exclusive fence and a list of
 * shared fences.
 *
 * dma_resv_add_excl_fence() and dma_resv_add_shared_fence() rely on rules that drivers follow: a
 * driver waits for all fences before it sets the exclusive fence, and for the exclusive fence
 * before the work of a shared fence begins. A fence from userspace follows no rules, and then:
 *
 *  - A shared fence can hide the exclusive one. dma_buf_poll() before 5.16, and before 5.15 also
 *    dma_resv_test_signaled(), which TTM calls, ignore the exclusive fence if there are shared
 *    fences. The kernel would reuse memory that it is still moving, which leaks information.
 *  - dma_resv_add_excl_fence() removes all shared fences and the previous exclusive fence.
 *  - dma_resv_add_shared_fence() replaces a fence of the same context, even if that is later.
 *
 * This file therefore adds only arrays of fences (dma_fence_array), on contexts of its own:
 *
 *  read import   R = exclusive fence + previous R + new fences, added as a shared fence
 *  write import  W = exclusive fence + new fences, added as a shared fence and set as the
 *                exclusive one
 *
 * R contains the previous R and replaces it. If the previous W is still the exclusive fence, W
 * contains it and replaces it. Code that looks only at shared fences sees R or W, which contain the
 * exclusive fence. Readers wait for W, which contains no fences of readers. docs/kernel.md has
 * examples.
 *
 * 5.18 warns about arrays among the shared fences. There, every import is a write import that only
 * sets the exclusive fence. That suffices, since dma_buf_poll() and dma_resv_test_signaled() of
 * 5.18 check the exclusive fence even if there are shared ones.
 */
#include "kernel-has.h"

#ifndef FENCEBRIDGE_KERNEL_HAS_RESV_USAGE

#include <linux/atomic.h>
#include <linux/dma-fence.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-resv.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "fences.h"
#include "resv.h"

/*
 * The fence contexts of this module's arrays are allocated in ranges of this size, so that the
 * context tells whether an array is this module's.
 */
#define FBR_CONTEXT_RANGE 0x80000000u

/*
 * Guards the current range: contexts from first up to next - 1 are in use, those from next up to
 * end - 1 are free.
 *
 * Arrays of an earlier range, and arrays from before the module was reloaded, are not recognised.
 * Such an array keeps its place among the shared fences until it has signalled. That has no other
 * effect.
 */
static DEFINE_SPINLOCK(fbr_contexts_lock);
static u64 fbr_contexts_first, fbr_contexts_next, fbr_contexts_end;

static u64 fbr_context_alloc(void)
{
	u64 context;

	spin_lock(&fbr_contexts_lock);
	if (fbr_contexts_next == fbr_contexts_end) {
		fbr_contexts_first = dma_fence_context_alloc(FBR_CONTEXT_RANGE);
		fbr_contexts_next = fbr_contexts_first;
		fbr_contexts_end = fbr_contexts_first + FBR_CONTEXT_RANGE;
	}
	context = fbr_contexts_next++;
	spin_unlock(&fbr_contexts_lock);
	return context;
}

static bool fbr_is_own_array(struct dma_fence *fence)
{
	bool own;

	spin_lock(&fbr_contexts_lock);
	own = fence->context >= fbr_contexts_first && fence->context < fbr_contexts_next;
	spin_unlock(&fbr_contexts_lock);
	return own && dma_fence_is_array(fence);
}

/*
 * Selects context and seqno of an array that replaces @predecessor, or that replaces no array if
 * @predecessor is NULL. The array uses the context of its predecessor, so that
 * dma_resv_add_shared_fence() replaces that.
 *
 * One counter provides the seqnos of all contexts. So a new array is later than every earlier one,
 * even if @predecessor is not the latest array of its context. The comparison fails only after the
 * counter has wrapped; the array then uses a new context.
 */
static void fbr_next_seqno(struct dma_fence *predecessor, u64 *context, u32 *seqno)
{
	static atomic_t last;

	*seqno = atomic_inc_return(&last);
	if (predecessor && (s32)(*seqno - (u32)predecessor->seqno) > 0)
		*context = predecessor->context;
	else
		*context = fbr_context_alloc();
}

/* Gets the exclusive fence and all shared fences. The caller may hold the lock of @resv. */
static int fbr_resv_get_all(struct dma_resv *resv, struct fbr_fences *all)
{
	int ret = fbr_compat_get_all_fences(resv, &all->count, &all->fence);

	all->room = all->count;
	return ret;
}

/* Returns a reference to the exclusive fence, or NULL. */
static struct dma_fence *fbr_resv_get_exclusive(struct dma_resv *resv)
{
	struct dma_fence *exclusive;

	rcu_read_lock();
	exclusive = dma_fence_get_rcu_safe(&resv->fence_excl);
	rcu_read_unlock();
	return exclusive;
}

/* Returns NULL if memory cannot be allocated. Leaves the set @fences empty, also on failure. */
static struct dma_fence *fbr_array_create(struct fbr_fences *fences, u64 context,
					  unsigned int seqno)
{
	struct dma_fence_array *array;

	array = dma_fence_array_create(fences->count, fences->fence, context, seqno, false);
	if (!array) {
		fbr_fences_put(fences);
		return NULL;
	}
	*fences = (struct fbr_fences){};
	return &array->base;
}

u64 fbr_resv_features(void)
{
	return 0;
}

/* Adds to @flat the fences that a new reader or writer must wait for. Unwraps containers. */
static int fbr_resv_get_flat(struct dma_resv *resv, bool write, struct fbr_fences *flat)
{
	struct dma_fence *exclusive;
	struct fbr_fences all = {};
	int ret;

	if (write) {
		ret = fbr_resv_get_all(resv, &all);
		if (!ret)
			ret = fbr_fences_add_all(flat, &all);
		fbr_fences_put(&all);
		return ret;
	}
	exclusive = fbr_resv_get_exclusive(resv);
	ret = exclusive ? fbr_fences_add(flat, exclusive) : 0;
	dma_fence_put(exclusive);
	return ret;
}

int fbr_resv_snapshot(struct dma_resv *resv, bool write, struct dma_fence **snapshot)
{
	struct fbr_fences flat = {};
	int ret;

	*snapshot = NULL;
	/*
	 * The snapshot contains no containers. Export and import both unwrap them. Otherwise each
	 * export and import would nest the arrays one level deeper.
	 */
	ret = fbr_resv_get_flat(resv, write, &flat);
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
 * Finds the array that a new array replaces: the exclusive fence for a write import, one of the
 * shared fences for a read import. Returns a reference, or NULL.
 */
static struct dma_fence *fbr_find_predecessor(const struct fbr_fences *all,
					      struct dma_fence *exclusive, bool write)
{
	unsigned int i;

	if (write)
		return exclusive && fbr_is_own_array(exclusive) ? dma_fence_get(exclusive) : NULL;
	for (i = 0; i < all->count; i++) {
		struct dma_fence *fence = all->fence[i];

		/* A shared fence with the context of the exclusive fence is a W, not an R. */
		if (exclusive && fence->context == exclusive->context)
			continue;
		if (fbr_is_own_array(fence) && !dma_fence_is_signaled(fence))
			return dma_fence_get(fence);
	}
	return NULL;
}

/* Whether the array @attached already contains all fences of a set, or later ones. */
static bool fbr_array_covers(struct dma_fence *attached, const struct fbr_fences *fences)
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

/*
 * Adds an array to the reservation object, which gets references of its own. A shared slot must
 * have been reserved. No other function of this module writes to a reservation object.
 */
static void fbr_resv_publish(struct dma_resv *resv, struct dma_fence *array, bool write)
{
	struct dma_fence *old;

	if (fbr_compat_can_share_arrays())
		dma_resv_add_shared_fence(resv, array);
	if (!write)
		return;
	/* As dma_resv_add_excl_fence() does, except that the shared fences stay. */
	write_seqcount_begin(&resv->seq);
	old = rcu_dereference_protected(resv->fence_excl, dma_resv_held(resv));
	rcu_assign_pointer(resv->fence_excl, dma_fence_get(array));
	write_seqcount_end(&resv->seq);
	dma_fence_put(old);
}

/*
 * Collects in @content the fences of the array that an import adds. Sets @predecessor to a
 * reference to the array that the new array replaces, or to NULL.
 */
static int fbr_resv_plan(struct dma_resv *resv, const struct fbr_fences *fences, bool write,
			 struct fbr_fences *content, struct dma_fence **predecessor)
{
	struct dma_fence *exclusive = fbr_resv_get_exclusive(resv);
	struct fbr_fences all = {};
	int ret;

	ret = fbr_resv_get_all(resv, &all);
	if (!ret && exclusive)
		ret = fbr_fences_add(content, exclusive);
	if (!ret)
		ret = fbr_fences_add_all(content, fences);
	*predecessor = ret ? NULL : fbr_find_predecessor(&all, exclusive, write);
	if (*predecessor)
		ret = fbr_fences_add(content, *predecessor);
	fbr_fences_put(&all);
	dma_fence_put(exclusive);
	return ret;
}

/* fbr_resv_attach() with the lock of @resv held. */
static int fbr_resv_attach_locked(struct dma_resv *resv, const struct fbr_fences *fences,
				  bool write)
{
	struct dma_fence *predecessor = NULL, *array;
	struct fbr_fences content = {};
	u64 context;
	u32 seqno;
	int ret;

	dma_resv_assert_held(resv);

	ret = fbr_resv_plan(resv, fences, write, &content, &predecessor);
	if (ret || !content.count || (predecessor && fbr_array_covers(predecessor, &content)))
		goto out;
	ret = dma_resv_reserve_shared(resv, 1);
	if (ret)
		goto out;
	fbr_next_seqno(predecessor, &context, &seqno);
	array = fbr_array_create(&content, context, seqno);
	if (!array) {
		ret = -ENOMEM;
		goto out;
	}
	/*
	 * A dma_fence_array signals only after its signalling was enabled. Waiting enables it, but
	 * TTM only tests its fences.
	 */
	dma_fence_enable_sw_signaling(array);
	fbr_resv_publish(resv, array, write);
	dma_fence_put(array);
out:
	dma_fence_put(predecessor);
	fbr_fences_put(&content);
	return ret;
}

int fbr_resv_attach(struct dma_resv *resv, const struct fbr_fences *fences, bool write)
{
	int ret;

	if (!fences->count)
		return 0;
	dma_resv_lock(resv, NULL);
	/* Without shared arrays, an import can only set the exclusive fence. */
	ret = fbr_resv_attach_locked(resv, fences, write || !fbr_compat_can_share_arrays());
	dma_resv_unlock(resv);
	return ret;
}

#endif
