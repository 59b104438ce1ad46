#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of the guest, in two stages: `init.sh` makes the root writable by an overlay;
# `init.sh second` starts the compositor and the command. The host's side, tests/lab/guest.py,
# writes these files into /lab, which is /lab/boot in the second stage:
#
#     layers/N       overlays on the root, in ascending order
#     mounts         lines `NAME ro|rw PATH`: the folder m/NAME is mounted at PATH
#     settings       shell assignments: compositor, wayland_socket, output_mode, stdin, ...
#     compositor.sh, command.sh, stdin.py
#     modules/N-*    kernel modules to load, instead of the kernel's modules of the same names
#
# The kernel's command line sets lab_share (9p if folders of the host are mounted by 9p, and not by
# hostfs) and lab_boot (the folder for hostfs).
#
# The host's side reads stdout, stderr, and either status (the exit status of the command) or
# failure (why the command could not be run). It also reads stdin-ready (see stdin.py) and
# compositor-ended (a message, if the compositor ended before the command).

power_off() {
    sync
    echo o >/proc/sysrq-trigger
    while :; do sleep 60; done
}

fail() {
    trap - EXIT
    echo "$*" >"$boot/failure"
    power_off
}

share() { # host folder below the boot folder, mount point, option
    mkdir -p "$2"
    case $lab_share in
        9p) mount_9p "$@" ;;
        *) mount_hostfs "$lab_boot/$1" "$2" ;;
    esac || fail "cannot mount $1 at $2"
    # hostfs ignores `ro` if the folder is mounted elsewhere already.
    [ "$3" != ro ] || mount -o remount,bind,ro "$2"
}

# The mount of util-linux before 2.39 (Debian 12) calls mount(2), in which the data for hostfs are
# the folder alone.
mount_hostfs() { # host folder, mount point
    mount -t hostfs -o "hostfs=$1" none "$2" 2>/dev/null || mount -t hostfs -o "$1" none "$2"
}

# Only folders that nobody changes are cached. The host has to see at once what a guest writes.
mount_9p() { # as share
    cache=none
    case $1 in
        layers/*) cache=loose ;;
    esac
    mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,cache=$cache,$3" \
        "${1%%/*}-${1#*/}" "$2"
}

# In QEMU, a statically linked program starts much faster than others. The initramfs has left
# busybox, which has many programs.
quick() { # path of busybox, which may be missing
    [ -x "$1" ] || return 0
    for name in mount mkdir chmod ln hostname ip; do
        eval "$name() { $1 $name \"\$@\"; }"
    done
}

first_stage() {
    boot=/lab
    trap 'fail "the first stage of the boot failed; see kernel.log"' EXIT
    set -e
    quick /run/busybox
    mount -t proc proc /proc
    [ -e /run/busybox ] || mount -t tmpfs -o mode=755 upper /run
    mkdir /run/upper /run/work /run/root
    lower=/
    number=0
    while [ -L "/lab/layers/$number" ]; do # a link on the host, whose target is not in the guest
        share "layers/$number" "/run/layer$number" ro
        lower=/run/layer$number:$lower
        number=$((number + 1))
    done
    mount -t overlay -o "lowerdir=$lower,upperdir=/run/upper,workdir=/run/work" overlay /run/root
    cd /run/root
    mkdir -p lab/boot lab/upper
    [ ! -e /run/busybox ] || ln /run/busybox /run/upper/lab/busybox
    mount --bind /lab lab/boot
    mount --bind /run/upper lab/upper
    mount --move . /
    exec chroot . /bin/sh /lab/boot/init.sh second
}

file_systems() {
    quick /lab/busybox
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t debugfs debug /sys/kernel/debug
    mount -t devtmpfs dev /dev
    mkdir -p /dev/pts /dev/shm
    mount -t devpts -o mode=620,ptmxmode=666 pts /dev/pts
    mount -t tmpfs -o mode=1777 shm /dev/shm
    mount -t tmpfs -o mode=755 run /run
    mount -t tmpfs -o mode=1777 tmp /tmp
    mkdir -p /run/user/0 /run/lock
    chmod 700 /run/user/0
    ln -sf /proc/self/mounts /etc/mtab
    hostname lab
    while read -r name access path; do
        share "m/$name" "$path" "$access"
    done </lab/boot/mounts
}

# 127.0.0.1 and ::1, for programs and backends of compositors that listen there.
loopback() {
    reason=$(ip link set lo up 2>&1) || fail "cannot start the loopback interface: $reason"
}

load_modules() {
    if [ -n "$modules" ]; then
        reason=$(modprobe --all $modules 2>&1) || fail "cannot load $modules: $reason"
    fi
    for file in /lab/boot/modules/*.ko; do
        [ -e "$file" ] || continue
        name=${file##*/}
        name=${name#*-}
        name=${name%.ko}
        reason=$({ [ ! -e "/sys/module/$name" ] || rmmod "$name"; } 2>&1 && insmod "$file" 2>&1) ||
            fail "cannot load $name: $reason
$(dmesg | tail -n 5)"
    done
}

# QEMU before 8.1 (commit deba78709ae8) may continue to run code on one processor that another has
# replaced. A kernel replaces much of its code while it boots. So it boots on one processor
# (qemu.py), and the others are started here. Modules that are loaded later replace hardly any
# code.
start_processors() {
    for switch in /sys/devices/system/cpu/cpu[0-9]*/online; do
        [ -e "$switch" ] || continue
        reason=$({ echo 1 >"$switch"; } 2>&1) || fail "cannot start a processor: $reason"
    done
}

seconds() { # since the boot
    read -r uptime _ </proc/uptime
    echo "${uptime%.*}"
}

buses() {
    dbus-uuidgen >/etc/machine-id
    mkdir -p /run/dbus
    dbus-daemon --system --fork --nopidfile
    dbus-daemon --session --fork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
} >"$logs/dbus.log" 2>&1

# A compositor is ready when it announces its globals, and an output of the requested size.
start_compositor() {
    buses
    sh /lab/boot/compositor.sh >"$logs/compositor.log" 2>&1 &
    compositor_pid=$!
    deadline=$(($(seconds) + 60))
    until [ -S "$XDG_RUNTIME_DIR/$wayland_socket" ] &&
        WAYLAND_DISPLAY=$wayland_socket timeout 20 wayland-info >"$logs/wayland-info.log" 2>&1 &&
        grep -qF "$output_mode" "$logs/wayland-info.log"; do
        kill -0 $compositor_pid 2>/dev/null || fail "$compositor ended before it was ready"
        [ "$(seconds)" -lt $deadline ] || fail "$compositor was not ready after 60 s"
        sleep 0.05
    done
}

# The command writes to pipes, as under a shell. Two processes copy the pipes to the host's files.
run_piped() {
    mkfifo /run/stdout /run/stderr /run/stdin
    cat /run/stdout >>/lab/boot/stdout &
    out_pump=$!
    cat /run/stderr >>/lab/boot/stderr &
    err_pump=$!
    input=/dev/null
    if [ "$stdin" = yes ]; then
        python3 -I -S /lab/boot/stdin.py "$stdin_line" >/run/stdin 2>"$logs/stdin.log" &
        input=/run/stdin
    fi
    sh /lab/boot/command.sh <$input >/run/stdout 2>/run/stderr
    status=$?
    # A process that the command has left behind may hold the pipes open. After 2 s, its output is
    # lost.
    (sleep 2; kill $out_pump $err_pump) 2>/dev/null &
    wait $out_pump $err_pump
}

run_on_terminal() {
    # The terminal loses its size if no process has it open.
    setsid --ctty --wait sh -c "stty rows $rows cols $columns sane; exec sh /lab/boot/command.sh" \
        <"$console" >"$console" 2>&1
    status=$?
}

second_stage() {
    boot=/lab/boot
    logs=/lab/logs
    trap 'fail "process 1 of the guest ended unexpectedly; see kernel.log"' EXIT
    . /lab/boot/settings
    file_systems
    # tests/lab/suites/complaints.py ignores earlier messages, which are about the boot.
    echo "<4>lab: the guest is up" >/dev/kmsg
    loopback
    load_modules
    start_processors
    [ "$compositor" = none ] || start_compositor
    if [ "$terminal" = yes ]; then run_on_terminal; else run_piped; fi
    if [ "$compositor" != none ] && ! kill -0 $compositor_pid 2>/dev/null; then
        echo "$compositor ended while the command ran" >/lab/boot/compositor-ended
    fi
    sync
    echo $status >/lab/boot/status
    trap - EXIT
    power_off
}

if [ "$1" = second ]; then second_stage; else first_stage; fi
