#!/bin/sh
# SPDX-License-Identifier: MIT
# validation.sh: the guest's side of the suite `validation`. Every client runs with the validation
# layer alone, above our layer, and below it. For every run, it leaves the output (RUN.log), the
# validation layer's messages (RUN.messages) and the exit status (RUN.status) in $OUT.

validation=VK_LAYER_KHRONOS_validation
ours=VK_LAYER_FENCEBRIDGE_wsi
still=$BUILD/examples/fencebridge-still

export FENCEBRIDGE_LOG_LEVEL=info
# The loader logs the order of the layers in the chain.
export VK_LOADER_DEBUG=layer
export VK_KHRONOS_VALIDATION_REPORT_FLAGS=error,warn,perf
export VK_KHRONOS_VALIDATION_DEBUG_ACTION=VK_DBG_LAYER_ACTION_LOG_MSG
export VK_KHRONOS_VALIDATION_VALIDATE_SYNC=true
# A message that every frame repeats counts once.
export VK_KHRONOS_VALIDATION_ENABLE_MESSAGE_LIMIT=true

cube() { vkcube --wsi wayland --c 40; }
mailbox() { vkcube --wsi wayland --c 40 --present_mode 1; }
still() { "$still" --frames 30 --still-after 10; }
windows() { "$still" --frames 30 --windows 2; }
# Not the scenario shared_image. Above the layer, the synchronisation validation does not know that
# the application keeps such an image. Below it, the driver has not enabled the extension.
screen() {
    "$BUILD/tests/screen/screen_client" present_modes present_wait maintenance1 present_timing \
        display_timing colours damage_and_views
}
resizing() { "$still" --frames 30 --resize-every 7; }
# A client that makes a mistake, to see that the validation layer reports mistakes.
invalid() { python3 -I -S "$(dirname "$0")/invalid.py"; }

for client in invalid cube mailbox still windows resizing screen; do
    for chain in alone above below; do
        case $chain in
        alone) layers=$validation ;;
        above) layers=$validation:$ours ;;
        below) layers=$ours:$validation ;;
        esac
        run=$chain-$client
        (
            export VK_INSTANCE_LAYERS=$layers
            export VK_KHRONOS_VALIDATION_LOG_FILENAME="$OUT/$run.messages"
            $client
        ) >"$OUT/$run.log" 2>&1
        echo $? >"$OUT/$run.status"
    done
done
