// SPDX-License-Identifier: GPL-2.0-only
/*
 * Export and import on 5.19 and later, where a reservation object stores the usage of each fence:
 * KERNEL, WRITE, READ or BOOKKEEP (enum dma_resv_usage).
 */
#include "kernel-has.h"

#ifdef FENCEBRIDGE_KERNEL_HAS_RESV_USAGE

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>

#include "fencebridge.h"

#include "fences.h"
#include "resv.h"

u64 fbr_resv_features(void)
{
	return FENCEBRIDGE_FEATURE_USAGE;
}

int fbr_resv_snapshot(struct dma_resv *resv, bool write, struct dma_fence **snapshot)
{
	return dma_resv_get_singleton(resv, dma_resv_usage_rw(write), snapshot);
}

int fbr_resv_attach(struct dma_resv *resv, const struct fbr_fences *fences, bool write)
{
	enum dma_resv_usage usage = write ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
	unsigned int i;
	int ret;

	/* dma_resv_reserve_fences() warns about 0 fences since 6.11. */
	if (!fences->count)
		return 0;
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, fences->count);
	for (i = 0; i < fences->count && !ret; i++)
		dma_resv_add_fence(resv, fences->fence[i], usage);
	dma_resv_unlock(resv);
	return ret;
}

#endif
