#!/bin/sh
# SPDX-License-Identifier: MIT
# dkms.sh: the guest's side of the suite `dkms`. $OUT/dest has the files of `meson install`, and
# /lab/headers the files to build modules with. For every step, it leaves the output (STEP.log) and
# the exit status (STEP.status) in $OUT.

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

# Installs into the guest's root, which lasts as long as the guest.
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
