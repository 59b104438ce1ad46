#!/bin/sh
# SPDX-License-Identifier: MIT
# clients.sh RUN...: the guest's side of the suite `clients`. For every run, it leaves the client's
# output (RUN.log), its exit status (RUN.status) and, if it shows a picture, a screenshot (RUN.png)
# in $OUT. tests/lab/suites/clients.py checks these files.
#
# A run is named CHAIN-CLIENT. CHAIN is `layer`, or `native` for a run without the layer; CLIENT is
# a function below.

export FENCEBRIDGE_LOG_LEVEL=info
still=$BUILD/examples/fencebridge-still
here=$(dirname "$0")

# The longest client presents 300 frames at 60 Hz.
limited() { timeout --kill-after=5 60 "$@"; }

cube_fifo() { limited vkcube --wsi wayland --c 300 --present_mode 2; }
cube_mailbox() { limited vkcube --wsi wayland --c 300 --present_mode 1; }
windows() { limited "$still" --frames 40 --windows 2 --still-after 40; }
resizing() { limited "$still" --frames 40 --resize-every 7; }

opaque() { picture --alpha opaque; }
premultiplied() { picture --alpha premultiplied; }

# A screenshot of the picture, which does not move any more.
picture() {
    rm -f /run/input /run/ready
    mkfifo /run/input
    limited "$still" --fullscreen --backdrop 204080 --frames 20 --still-after 10 \
        --ready-file /run/ready --hold "$@" </run/input &
    client=$!
    exec 3>/run/input
    while kill -0 $client && ! [ -e /run/ready ]; do sleep 0.02; done
    if [ -e /run/ready ]; then sh "$here/screenshot" "$OUT/$run.png"; fi
    shot=$?
    exec 3>&- # the client ends at the end of its input
    wait $client && [ $shot -eq 0 ]
}

for run; do
    rm -f "$OUT/$run".*
    (
        [ "${run%%-*}" = layer ] || unset VK_INSTANCE_LAYERS
        ${run#*-}
    ) >"$OUT/$run.log" 2>&1
    echo $? >"$OUT/$run.status"
done
