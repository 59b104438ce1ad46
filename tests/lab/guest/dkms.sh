#!/bin/sh
# SPDX-License-Identifier: MIT
# dkms.sh: the guest's half of the suite `dkms`. $OUT/dest is what `meson install` made, and
# /lab/headers what modules are built against. For every step, $OUT has what was said (STEP.log) and
# the exit status (STEP.status).

version=fencebridge/0.1.0
release=$(uname -r)

try() { # STEP, command
    step=$1
    shift
    "$@" >"$OUT/$step.log" 2>&1
    echo $? >"$OUT/$step.status"
}

works() { "$BUILD/tests/kmod/kmod-test" query import. && cat /sys/module/fencebridge/version; }
gone() { ! dkms status | grep fencebridge && ! modinfo fencebridge; }

# The guest's root is a throw-away: install for good.
cp -a "$OUT/dest/." /
mkdir -p "/lib/modules/$release"
ln -sfn /lab/headers "/lib/modules/$release/build"
cp /lab/headers/modules.* "/lib/modules/$release/" 2>/dev/null
depmod

try rules udevadm verify /usr/lib/udev/rules.d/70-fencebridge.rules
try add dkms add "$version"
try build dkms build "$version"
try install dkms install "$version"
try status dkms status
try modprobe modprobe fencebridge
try works works
try rmmod rmmod fencebridge
try remove dkms remove "$version" --all
try gone gone
