#!/bin/sh
# SPDX-License-Identifier: MIT
# kmod.sh STEP...: the guest's side of the suites `kmod` and `kmod-mutations`. A step is a function
# below. For every step, it leaves the output (STEP.log) and the exit status (STEP.status) in $OUT.
# tests/lab/suites/kmod.py checks these files. For the suite `kmod`, the module is loaded already.
#
# $KMOD_CALLS  how often kmod-fuzz calls the module
# $KMOD_TESTS  options of kmod-test, and the groups of tests that can run on this kernel
# $KMOD_KERNEL options of kmod-test when it tests the kernel's own ioctls
# /lab/kmod    fencebridge.ko, sources/ with modules that the tests need, N/ with broken modules

tests=$BUILD/tests/kmod
preload=$BUILD/examples/libfencebridge-preload.so
igt=/usr/libexec/igt-gpu-tools/dmabuf_sync_file

module() { "$tests/kmod-test" $KMOD_TESTS; }
kernel() { "$tests/kmod-test" --kernel $KMOD_KERNEL; }

fuzz() { "$tests/kmod-fuzz" --calls "$KMOD_CALLS"; }
fuzz_failing() { "$tests/kmod-fuzz" --calls $((KMOD_CALLS / 5)) --seed 2 --fail 5; }

# The kernel community's test of the kernel's own ioctls. It knows nothing of the module.
igt() { LD_PRELOAD=$preload "$igt"; }
igt_forced() { LD_PRELOAD=$preload FENCEBRIDGE_PRELOAD=module "$igt"; }
igt_kernel() { "$igt"; }

# Without the module, the test has to fail with the preload library. Otherwise a success of the
# test would not show that the module works.
without() {
    rmmod fencebridge
    LD_PRELOAD=$preload FENCEBRIDGE_PRELOAD=module "$igt"
    insmod /lab/kmod/fencebridge.ko
}

snapshot() { "$BUILD/examples/fencebridge-snapshot"; }
same_answers() { python3 /lab/src/tests/preload/same_answers.py "$preload"; }

unload() { "$tests/kmod-test" --unload /lab/kmod/fencebridge.ko; }

# mutation_N: loads the broken module N, and runs the tests that have to notice.
mutation() { # N, tests
    rmmod fencebridge
    insmod "/lab/kmod/$1/fencebridge.ko" || return 2
    shift
    "$tests/kmod-test" "$@"
}

# Leaks from before are not the module's.
forget_leaks() {
    leaks >/dev/null
    echo clear >/sys/kernel/debug/kmemleak
}

leaks() {
    # kmemleak does not report memory that is younger than 5 seconds. It reports memory after two
    # scans that find no pointer to it, since a pointer may be about to be stored.
    for _ in 1 2; do
        sleep 6
        echo scan >/sys/kernel/debug/kmemleak
    done
    cat /sys/kernel/debug/kmemleak
}

messages() { dmesg; }

for file in /lab/kmod/sources/*.ko; do
    [ -e "$file" ] || continue
    rmmod "$(basename "$file" .ko)" 2>/dev/null
    insmod "$file"
done

for step; do
    case $step in
    mutation_*) set -- mutation "${step#mutation_}" $(cat "/lab/kmod/${step#mutation_}/noticed_by") ;;
    *) set -- "$step" ;;
    esac
    "$@" >"$OUT/$step.log" 2>&1
    echo $? >"$OUT/$step.status"
done
