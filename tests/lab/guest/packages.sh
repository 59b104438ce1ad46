#!/bin/sh
# SPDX-License-Identifier: MIT
# packages.sh: the guest's side of the suite `packages`. $OUT/debs has a folder of .debs for each of
# the versions $old and $new. The headers of the kernels $needs (which needs the module) and $has
# (which has the ioctls) are in /usr/src. For every step, it leaves the output (STEP.log) and the
# exit status (STEP.status) in $OUT.

unset VK_INSTANCE_LAYERS VK_ADD_LAYER_PATH ENABLE_FENCEBRIDGE DISABLE_FENCEBRIDGE
export FENCEBRIDGE_LOG_LEVEL=info WAYLAND_DISPLAY=wayland-lab DEBIAN_FRONTEND=noninteractive

try() { # STEP, command
    step=$1
    shift
    "$@" >"$OUT/$step.log" 2>&1
    echo $? >"$OUT/$step.status"
}

# All names of files, without those that the tools of this script change themselves.
files() {
    find / -xdev \( -path /lab -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o \
        -path /root -o -name 'mok.*' \) -prune -o -print | sort
}

start_weston() {
    if weston --help | grep -q -- --renderer; then
        set -- --backend=headless --renderer=pixman
    else
        set -- --backend=headless-backend.so --use-pixman
    fi
    weston "$@" --socket=$WAYLAND_DISPLAY >"$OUT/weston.log" 2>&1 &
    weston=$!
    until [ -S "$XDG_RUNTIME_DIR/$WAYLAND_DISPLAY" ]; do
        kill -0 $weston || return
        sleep 0.1
    done
}

cube() {
    if command -v vkcube-wayland; then
        "$@" vkcube-wayland --c 10
    else
        "$@" vkcube --wsi wayland --c 10
    fi
}

installed() { # version
    dpkg-query --show --showformat='${db:Status-Abbrev} ${Version}\n' '*fencebridge*' >"$OUT/shown" &&
        ! grep -v "^ii  $1$" "$OUT/shown"
}

# The module is built for the one kernel and not for the other.
built() { # version
    dkms status
    dkms status "fencebridge/$1" -k "$needs" | grep installed && modinfo -k "$needs" fencebridge &&
        ! dkms status "fencebridge/$1" -k "$has" | grep -E 'built|installed'
}

use() { # version
    try "$1-installed" installed "$1"
    try "$1-loader" sh debian/tests/loader
    try "$1-off" cube env
    try "$1-on" cube env ENABLE_FENCEBRIDGE=1
    try "$1-module" built "$1"
}

# As udev creates it; DKMS needs it.
ln -sf /proc/self/fd /dev/fd
# The root leaves out the documentation of its own packages.
rm -f /etc/dpkg/dpkg.cfg.d/*
for release in $needs $has; do
    mkdir -p "/lib/modules/$release"
    ln -s "/usr/src/linux-headers-$release" "/lib/modules/$release/build"
    touch "/lib/modules/$release/modules.order" "/lib/modules/$release/modules.builtin"
    depmod "$release"
done
# The headers of Linux 5.10 name the compiler of Debian 11. Newer ones compile the module, too.
ln -s gcc /usr/bin/gcc-10
start_weston

files >"$OUT/files-before"
try "$old-install" dpkg --install "$OUT/debs/$old"/*.deb
use "$old"
try "$new-install" dpkg --install "$OUT/debs/$new"/*.deb
use "$new"
try purge dpkg --purge $(dpkg-query --show --showformat='${Package}\n' '*fencebridge*')
files >"$OUT/files-after"
try nothing-left diff "$OUT/files-before" "$OUT/files-after"
kill $weston
