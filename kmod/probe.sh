#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# probe.sh HEADER CC FLAGS...: writes to HEADER a #define for each kernel function or macro that the
# headers of the kernel declare. It compiles a test for each, with the flags of the module.

set -e
header=$1
shift

source=$header.c
errors=$header.log
trap 'rm -f "$source" "$errors" "$source.o"' EXIT

compiles() { # C code, CC FLAGS...
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

# If even an empty test fails, the flags are wrong; the kernel does not lack every function.
compiles '' "$@" || {
	cat "$errors" >&2
	echo "probe.sh: the kernel's headers do not compile with: $*" >&2
	exit 1
}

# Defines FENCEBRIDGE_KERNEL_HAS_NAME if the code compiles.
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

# Defines FENCEBRIDGE_KERNEL_HAS_NAME if the kernel has the function, with exactly this type.
is() { # NAME, function, type, CC FLAGS...
	name=$1
	code="_Static_assert(__builtin_types_compatible_p(typeof($2), $3), \"\");"
	shift 3
	has "$name" "$code" "$@"
}

# Before 5.18, the second parameter receives the exclusive fence, separately from the others.
separate='int(struct dma_resv *, struct dma_fence **, unsigned int *, struct dma_fence ***)'

{
	# 5.19 and later
	is RESV_USAGE dma_resv_get_singleton \
		'int(struct dma_resv *, enum dma_resv_usage, struct dma_fence **)' "$@"
	# 5.18 only
	is RESV_GET_FENCES_WRITE dma_resv_get_fences \
		'int(struct dma_resv *, bool, unsigned int *, struct dma_fence ***)' "$@"
	# 5.14 to 5.17
	is RESV_GET_FENCES dma_resv_get_fences "$separate" "$@"
	# 5.4 to 5.13
	is RESV_GET_FENCES_RCU dma_resv_get_fences_rcu "$separate" "$@"
	# The argument is an identifier before 6.13 and a string since.
	has IMPORT_NS_IDENTIFIER 'MODULE_IMPORT_NS(DMA_BUF);' "$@"
} >"$header.tmp"
mv "$header.tmp" "$header"
