#!/bin/sh
# SPDX-License-Identifier: MIT
# run [OPTION...]: presents with the layer on this machine's Vulkan driver, on surfaces without a
# window and on the packed Weston, which draws on the CPU. Takes screenshots and measures.
#
#     --out DIR       the folder for logs and pictures (fencebridge-gpu-results)
#     --icd FILE      the driver's manifest, if it is not where the Vulkan loader looks
#     --mask M,...    hide features of the driver (docs/lab.md)
#     --help
#
# docs/gpu-machines.md describes the steps. Exit status: 0 if all have succeeded, 1 if one has
# failed, 2 if nothing was tried. A machine for GPU work may have no Python, so this is a script for
# any POSIX shell, with coreutils, grep, sed and awk.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=fencebridge-gpu-results
mask=

give_up() {
    printf 'run: %s\n' "$1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --help) sed -n 's/^# \{0,1\}//; 3,13p' "$0" && exit 0 ;;
    --out | --icd | --mask) [ $# -ge 2 ] || give_up "$1 needs a value" ;;
    *) give_up "unknown option $1; see --help" ;;
    esac
    case $1 in
    --out) out=$2 ;;
    --icd) export VK_DRIVER_FILES="$2" VK_ICD_FILENAMES="$2" ;; # the latter for older loaders
    --mask) mask=$2 ;;
    esac
    shift 2
done

[ "$(uname -m)" = x86_64 ] || give_up "the programs are for x86_64, not for $(uname -m)"
needed=$(sed -n 's/^glibc: //p' "$here/about")
present=$(getconf GNU_LIBC_VERSION | sed 's/^glibc //')
[ "$(printf '%s\n' "$needed" "$present" | sort -V | head -n 1)" = "$needed" ] ||
    give_up "the programs need glibc $needed; this machine has $present"
[ -z "${VK_DRIVER_FILES-}" ] || [ -e "$VK_DRIVER_FILES" ] || give_up "no file $VK_DRIVER_FILES"
mkdir -p "$out" && out=$(cd "$out" && pwd) || give_up "cannot create $out"
rm -f "$out"/summary.txt "$out"/empty.png "$out"/cube.png "$out"/cube-later.png \
    "$out"/still.png "$out"/fencebridge-*.pam

work=$(mktemp -d) || give_up "cannot create a temporary folder"
weston= client= # IDs of processes that run
end() {
    for process in $client $weston; do kill "$process" 2>/dev/null && wait "$process"; done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 2' INT TERM HUP

# The driver is loaded into the packed programs. It may need newer libraries than the packed ones,
# so those are used only where this machine has none. The packed loader and compositor come first.
mkdir "$work/libraries"
known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n 's/^\t\([^ ]*\) (libc6,x86-64.*/\1/p')
for library in "$here"/lib/if-missing/*; do
    printf '%s\n' "$known" | grep -qxF "${library##*/}" || ln -s "$library" "$work/libraries/"
done
libraries=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}:$work/libraries

# become SECONDS PROGRAM [ARGUMENT...]: the process becomes a packed program with a time limit.
become() {
    seconds=$1 program=$2
    shift 2
    exec timeout --kill-after=5 "$seconds" \
        env LD_LIBRARY_PATH="$libraries" "$here/bin/$program" "$@"
}
# packed SECONDS PROGRAM [ARGUMENT...]: runs it.
packed() { (become "$@"); }

mkdir -m 700 "$work/runtime"
export XDG_RUNTIME_DIR="$work/runtime" XKB_CONFIG_ROOT="$here/xkb"
parts= # what Weston loads and starts
for part in "$here"/weston/*; do parts="$parts${part##*/}=$part;"; done
export WESTON_MODULE_MAP="$parts"
export VK_LAYER_SETTINGS_PATH="$here/vk_layer_settings.txt" FENCEBRIDGE_TEST_MASK="$mask"
# Without a takeover, surfaces without a window are left to a driver that can present to them.
export FENCEBRIDGE_LOG_LEVEL=info FENCEBRIDGE_TAKEOVER=on
# The loader logs which layers are in the chain.
export VK_LOADER_DEBUG=layer NODEVICE_SELECT=1

# chain [LAYER...]: the clients from now on have these layers, from the application down. The loader
# of Debian 12 (1.3.239) goes by the order of the folders, newer ones go by that of the names.
chain() {
    VK_INSTANCE_LAYERS='' VK_LAYER_PATH=''
    for layer; do
        case $layer in
        fencebridge) layer_name=VK_LAYER_FENCEBRIDGE_wsi ;;
        validation) layer_name=VK_LAYER_KHRONOS_validation ;;
        mask) layer_name=VK_LAYER_FENCEBRIDGE_test_mask ;;
        esac
        VK_INSTANCE_LAYERS=$VK_INSTANCE_LAYERS${VK_INSTANCE_LAYERS:+:}$layer_name
        VK_LAYER_PATH=$VK_LAYER_PATH${VK_LAYER_PATH:+:}$here/layers/$layer
    done
    export VK_INSTANCE_LAYERS VK_LAYER_PATH
}
if [ -n "$mask" ]; then lowest=mask; else lowest=''; fi

# chain_of STEP: the packed layers in the chain that the loader has logged. A driver may have added
# layers of its own.
chain_of() {
    sed -n '/vkCreateInstance layer callstack/,/<Driver/p' "$out/$1.log" |
        sed -n 's/.* \(VK_LAYER_\(FENCEBRIDGE\|KHRONOS\)_[a-z_]*\).*/\1/p' | paste -s -d :
}

failed=0

# verdict STEP STATUS [WHY]: a line of the summary. STATUS is 0 if the step has succeeded.
verdict() {
    case $2 in
    0) result="ok      ${3-}" ;;
    124 | 137) result="FAILED  it took too long" ;;
    *) result="FAILED  ${3:-status $2: $(last_words "$1")}" ;;
    esac
    [ "$2" -eq 0 ] || failed=1
    printf '%-28s%s\n' "$1" "$result" | tee -a "$out/summary.txt"
}

# The last line of a step's log that is not one of a loader or a layer that works.
last_words() {
    grep -v -e '^fencebridge: info' -e '^INFO' -e '^LAYER' -e '^ ' "$out/$1.log" | tail -n 1
}

# presented STEP STATUS DETAIL [PROBLEM]: the verdict on a client. It has to have presented through
# the layer, and nothing else must be wrong with what it has shown.
presented() {
    if [ "$2" -ne 0 ]; then
        verdict "$1" "$2"
    elif ! grep -q 'swapchain closed: .*presented=[1-9]' "$out/$1.log"; then
        verdict "$1" 1 "presented without the layer: $(grep '^fencebridge: [ew]' "$out/$1.log" |
            tail -n 1)"
    elif [ -n "${4-}" ]; then
        verdict "$1" 1 "$4"
    else
        verdict "$1" 0 "$3"
    fi
}

# The allocator and the transport of the first swapchain in a step's log.
means() {
    sed -n '/^fencebridge: info: swapchain .*allocator=/ {
        s/.*\(allocator=[^ ]*\).*\(transport=[^ ]*\).*/\1 \2/p; q; }' "$out/$1.log"
}

driver() {
    chain
    packed 60 vulkaninfo --summary >"$out/driver.log" 2>&1
    status=$?
    name=$(sed -n 's/^[[:space:]]*deviceName *= //p' "$out/driver.log" | head -n 1)
    if [ $status -eq 0 ] && [ -z "$name" ]; then
        verdict driver 1 "no Vulkan device; name the driver's manifest with --icd"
    else
        verdict driver $status "$name"
    fi
}

headless() {
    FENCEBRIDGE_HEADLESS_CAPTURE=$out packed 60 fencebridge-still --headless --frames 61 \
        >"$out/headless.log" 2>&1
    status=$?
    problem=
    set -- "$out"/fencebridge-*.pam
    [ $# -eq 2 ] && cmp -s "$1" "$2" || problem="not two equal frames were captured"
    presented headless $status "$(means headless)" "$problem"
}

compositor() {
    export WAYLAND_DISPLAY=fencebridge
    # --debug lets every client take screenshots.
    become 1200 weston --backend=headless-backend.so --use-pixman --width=1920 --height=1080 \
        --shell=desktop-shell.so --socket=$WAYLAND_DISPLAY --config="$here/weston.ini" --debug \
        >"$out/weston.log" 2>&1 &
    weston=$!
    tries=100
    until [ -e "$XDG_RUNTIME_DIR/$WAYLAND_DISPLAY" ] || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
        kill -0 $weston 2>/dev/null || tries=0
    done
    [ -e "$XDG_RUNTIME_DIR/$WAYLAND_DISPLAY" ] && screenshot empty >>"$out/weston.log" 2>&1
    verdict weston $?
}

# screenshot NAME
screenshot() {
    timeout --kill-after=5 30 env LD_LIBRARY_PATH="$libraries" PATH="$here/bin:$PATH" \
        sh "$here/screenshot" "$out/$1.png"
}

# differ NAME NAME: whether two screenshots were taken, and differ.
differ() { [ -s "$out/$1.png" ] && [ -s "$out/$2.png" ] && ! cmp -s "$out/$1.png" "$out/$2.png"; }

cube() {
    : >"$out/cube.log"
    become 90 vkcube-wayland --c 400 >>"$out/cube.log" 2>&1 &
    client=$!
    tries=300
    until grep -q '^fencebridge: info: swapchain ' "$out/cube.log" || [ $tries -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
        kill -0 $client 2>/dev/null || tries=0
    done
    sleep 1
    for picture in cube cube-later; do screenshot $picture >>"$out/cube.log" 2>&1; done
    wait $client
    status=$? client=
    problem=
    differ cube empty && differ cube-later cube ||
        problem="the screenshots show nothing, or nothing that moves"
    presented cube $status "$(means cube)" "$problem"
}

still() {
    mkfifo "$work/input"
    become 90 fencebridge-still --fullscreen --frames 20 --still-after 10 --hold \
        --ready-file "$work/ready" <"$work/input" >"$out/still.log" 2>&1 &
    client=$!
    exec 3>"$work/input"
    while kill -0 $client 2>/dev/null && ! [ -e "$work/ready" ]; do sleep 0.1; done
    screenshot still >>"$out/still.log" 2>&1
    exec 3>&- # the client ends at the end of its input
    wait $client
    status=$? client=
    problem=
    differ still empty || problem="the screenshot shows nothing"
    presented still $status "$(means still)" "$problem"
}

# validated NAME PROGRAM [ARGUMENT...]: with the validation layer above ours, which checks what ours
# returns, and below it, which checks what ours calls.
validated() {
    prefix=$1-validation
    shift
    for place in above below; do
        step=$prefix-$place
        case $place in
        above) chain validation fencebridge $lowest ;;
        below) chain fencebridge validation $lowest ;;
        esac
        packed 60 "$@" >"$out/$step.log" 2>&1
        status=$?
        messages=$(grep 'Validation [EWP]' "$out/$step.log")
        problem=
        if [ "$(chain_of "$step")" != "$VK_INSTANCE_LAYERS" ]; then
            problem="the loader has chained $(chain_of "$step")"
        elif [ -n "$messages" ]; then
            problem="validation messages, the first: $(echo "$messages" | head -n 1)"
        fi
        presented "$step" $status "no messages" "$problem"
    done
    chain fencebridge $lowest
}

# frames WHERE MODE
frames() {
    step=$1-$2
    packed 60 gpu_frames "$1" "$2" 3 >"$out/$step.log" 2>&1
    presented "$step" $? "$(grep 'frames a second' "$out/$step.log"), $(means "$step")"
}

copy_limit() {
    packed 60 gpu_copy_limit 2 >"$out/copy-limit.log" 2>&1
    verdict copy-limit $? "$(grep 'frames a second' "$out/copy-limit.log")"
}

# rate_of STEP: the frames a second of a step that has succeeded.
rate_of() { sed -n "s/^$1  *ok  *\([0-9.]*\) frames a second.*/\1/p" "$out/summary.txt"; }

compare() {
    rate=$(rate_of window-mailbox) limit=$(rate_of copy-limit)
    [ -n "$rate" ] && [ -n "$limit" ] || return
    echo "$rate $limit" |
        awk '{ printf "window-mailbox: %.0f %% of the copy limit\n", 100 * $1 / $2 }' |
        tee -a "$out/summary.txt"
}

{
    cat "$here/about"
    uname -a
    sed -n 's/^PRETTY_NAME=//p' /etc/os-release
    getconf GNU_LIBC_VERSION
    nproc
    cat /proc/driver/nvidia/version
    ls -d /dev/dri/* /dev/udmabuf /dev/dma_heap/*
    ls "$work/libraries"
} >"$out/machine.txt" 2>&1

driver
chain fencebridge $lowest
headless
copy_limit
for mode in fifo mailbox; do frames headless $mode; done
validated headless fencebridge-still --headless --frames 10
compositor
cube
still
for mode in fifo mailbox; do frames window $mode; done
validated cube vkcube-wayland --c 40
validated still fencebridge-still --frames 30
compare
exit $failed
