#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# probe.sh HEADER CC FLAGS...: writes to HEADER what the kernel's headers have, a #define for each,
# found by compiling as the module will be.

set -e
header=$1
shift

source=$header.c
errors=$header.log
trap 'rm -f "$source" "$errors" "$source.o"' EXIT

compiles() { # C code; FLAGS are the script's own arguments
	code=$1
	shift
	cat >"$source" <<-END
		#include <linux/module.h>
		#include <linux/dma-buf.h>
		#include <linux/dma-resv.h>
		#include <linux/dma-fence.h>
		$code
	END
	"$@" -c -x c "$source" -o "$source.o" 2>"$errors"
}

# A flag that breaks every probe must not look like a kernel that has nothing.
compiles '' "$@" || {
	cat "$errors" >&2
	echo "probe.sh: the kernel's headers do not compile with: $*" >&2
	exit 1
}

has() { # NAME, C code, CC FLAGS...
	name=$1
	code=$2
	shift 2
	if compiles "$code" "$@"; then
		echo "#define FENCEBRIDGE_KERNEL_HAS_$name"
	else
		echo "/* no $name */"
	fi
}

# The kernel's function has exactly this type.
is() { # NAME, function, type, CC FLAGS...
	name=$1
	code="_Static_assert(__builtin_types_compatible_p(typeof($2), $3), \"\");"
	shift 3
	has "$name" "$code" "$@"
}

# Before 5.18: the exclusive fence by itself.
separate='int(struct dma_resv *, struct dma_fence **, unsigned int *, struct dma_fence ***)'

{
	# 5.19
	is RESV_USAGE dma_resv_get_singleton \
		'int(struct dma_resv *, enum dma_resv_usage, struct dma_fence **)' "$@"
	# 5.18
	is RESV_GET_FENCES_WRITE dma_resv_get_fences \
		'int(struct dma_resv *, bool, unsigned int *, struct dma_fence ***)' "$@"
	# 5.14
	is RESV_GET_FENCES dma_resv_get_fences "$separate" "$@"
	# 5.4
	is RESV_GET_FENCES_RCU dma_resv_get_fences_rcu "$separate" "$@"
	# An identifier until 6.12, a string since.
	has IMPORT_NS_IDENTIFIER 'MODULE_IMPORT_NS(DMA_BUF);' "$@"
} >"$header.tmp"
mv "$header.tmp" "$header"
