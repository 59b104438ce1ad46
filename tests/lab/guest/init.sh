#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's process 1, in two stages: `init.sh` makes the read-only root writable, and then
# `init.sh second` starts compositor and command there. The host's side is tests/lab/guest.py, which
# has filled /lab (then /lab/boot) with what is wanted:
#
#     layers/N       overlay layers above the root, later ones on top
#     mounts         lines `NAME ro|rw PATH`: host folder m/NAME to be mounted at PATH
#     settings       shell assignments: compositor, wayland_socket, output_mode, terminal, stdin,
#                    ...; what the kernel itself hands on from its command line is lab_share, how
#                    host folders are mounted (9p, else hostfs), and lab_boot, for hostfs
#     compositor.sh, command.sh
#     modules/N-*    kernel modules to load, in place of what the kernel has of the same name
#
# and reads: stdout, stderr, status (the command's own), or failure (the guest could not run it).

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
        *) mount -t hostfs -o "hostfs=$lab_boot/$1" none "$2" ;;
    esac || fail "cannot mount $1 at $2"
    # hostfs takes no `ro` of its own when the folder is mounted elsewhere already.
    [ "$3" != ro ] || mount -o remount,bind,ro "$2"
}

# Only what nobody changes meanwhile may be cached: the host is to see at once what is written.
mount_9p() { # as share
    cache=none
    case $1 in
        layers/*) cache=loose ;;
    esac
    mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,cache=$cache,$3" \
        "${1%%/*}-${1#*/}" "$2"
}

# In QEMU a program that needs no library starts in a fraction of the time that others take; the
# kernel's first root has left one, which is many.
quick() { # the program, if it is there
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
    while [ -L "/lab/layers/$number" ]; do # a link of the host, dangling in here
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

# 127.0.0.1 and ::1, for backends and programs that listen there.
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

# QEMU before 8.1 (its commit deba78709ae8) may go on running on one processor what another has just
# replaced, and a kernel replaces much of its own code while it starts: it does so on one processor
# (qemu.py). Modules that come later are new code, which nobody runs meanwhile.
start_processors() {
    for switch in /sys/devices/system/cpu/cpu[0-9]*/online; do
        [ -e "$switch" ] || continue
        reason=$({ echo 1 >"$switch"; } 2>&1) || fail "cannot start a processor: $reason"
    done
}

seconds() { # since the kernel started
    read -r uptime _ </proc/uptime
    echo "${uptime%.*}"
}

buses() {
    dbus-uuidgen >/etc/machine-id
    mkdir -p /run/dbus
    dbus-daemon --system --fork --nopidfile
    dbus-daemon --session --fork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
} >"$logs/dbus.log" 2>&1

# Ready is: it lists its globals to a client, and an output of the size that was asked for.
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

# The command writes to pipes, as it would from a shell, and the pumps to the host's files.
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
    # A process left behind may hold the pipes open: what it says from now on is lost.
    (sleep 2; kill $out_pump $err_pump) 2>/dev/null &
    wait $out_pump $err_pump
}

run_on_terminal() {
    # Its size is lost when nobody has it open.
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
    # What the kernel says before is about itself: tests/lab/suites/complaints.py.
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
