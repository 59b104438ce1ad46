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
absent() {
    udevadm trigger --action=add --subsystem-match=drm --settle && ! dmesg | grep "udevd.*fencebridge"
}

# DKMS exits with 77 for a kernel that dkms.conf excludes.
excluded() {
    dkms build "$version"
    [ $? = 77 ]
}

udev() {
    udevadm trigger --action=add --subsystem-match=drm --settle && udevadm settle &&
        stat --format='%G %a' /dev/fencebridge | grep -x 'render 660' && rmmod fencebridge
}

gone() { ! dkms status | grep fencebridge && ! modinfo fencebridge; }

# Installs into the guest's root, which lasts as long as the guest.
cp -a "$OUT/dest/." /
mkdir -p "/lib/modules/$release"
ln -sfn /lab/headers "/lib/modules/$release/build"
cp /lab/headers/modules.* "/lib/modules/$release/" 2>/dev/null
depmod

/usr/lib/systemd/systemd-udevd --daemon

try rules udevadm verify /usr/lib/udev/rules.d/70-fencebridge.rules
try absent absent
try add dkms add "$version"
try excluded excluded
mkdir -p /etc/dkms
echo 'BUILD_EXCLUSIVE_KERNEL="."' >/etc/dkms/fencebridge.conf
try build dkms build "$version"
try install dkms install "$version"
try status dkms status
try modprobe modprobe fencebridge
try works works
try rmmod rmmod fencebridge
try udev udev
try remove dkms remove "$version" --all
try gone gone
