/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wrappers of kernel functions whose name, arguments or behaviour differ between kernels.
 *
 * kernel-has.h, which probe.sh generates, selects the variant.
 */
#ifndef FENCEBRIDGE_COMPAT_H
#define FENCEBRIDGE_COMPAT_H

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/module.h>

#include "kernel-has.h"

/* The argument of MODULE_IMPORT_NS() is an identifier before 6.13 and a string since. */
#ifdef FENCEBRIDGE_KERNEL_HAS_IMPORT_NS_IDENTIFIER
#define FBR_IMPORT_DMA_BUF_SYMBOLS MODULE_IMPORT_NS(DMA_BUF)
#else
#define FBR_IMPORT_DMA_BUF_SYMBOLS MODULE_IMPORT_NS("DMA_BUF")
#endif

#ifndef FENCEBRIDGE_KERNEL_HAS_RESV_USAGE

/**
 * fbr_compat_get_all_fences - get the exclusive fence and all shared ones (before 5.19)
 * @resv: the reservation object; the caller may hold its lock, but need not
 * @count: set to the number of fences
 * @fences: set to an array of fences from kmalloc(), with a reference to each, both owned by the
 *          caller; NULL if there are none
 *
 * The kernel may leave out fences that have signalled.
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM.
 */
static inline int fbr_compat_get_all_fences(struct dma_resv *resv, unsigned int *count,
					    struct dma_fence ***fences)
{
#if defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_WRITE)
	return dma_resv_get_fences(resv, true, count, fences);
#elif defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES)
	return dma_resv_get_fences(resv, NULL, count, fences);
#elif defined(FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_RCU)
	return dma_resv_get_fences_rcu(resv, NULL, count, fences);
#else
#error "<linux/dma-resv.h> of this kernel declares no known variant of dma_resv_get_fences()"
#endif
}

/**
 * fbr_compat_can_share_arrays - whether dma_resv_add_shared_fence() accepts arrays (before 5.19)
 *
 * 5.18 warns (WARN_ON) about an array. 5.18 is recognised by its dma_resv_get_fences(), the only
 * one with a bool parameter.
 *
 * Context: any.
 * Return: false on 5.18, true before.
 */
static inline bool fbr_compat_can_share_arrays(void)
{
#ifdef FENCEBRIDGE_KERNEL_HAS_RESV_GET_FENCES_WRITE
	return false;
#else
	return true;
#endif
}

#endif
#endif
