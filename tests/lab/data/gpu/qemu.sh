#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs QEMU with its display on an X server without a screen. Both render with llvmpipe and lavapipe.
set -e
export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json LIBGL_ALWAYS_SOFTWARE=1
export NODEVICE_SELECT=1 SDL_VIDEODRIVER=x11 XDG_RUNTIME_DIR=/run/qemu
mkdir -m 700 $XDG_RUNTIME_DIR
mkfifo /run/display
# The X server chooses a free number, writes it when it is ready, and ends with this process, which
# becomes QEMU. Its one socket is in /tmp, which no other process of the machine sees. An abstract
# socket (`local`) would belong to the network, and every user of the machine could connect to it.
setpriv --pdeathsig KILL Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp -nolisten local \
    3>/run/display >/run/xvfb.log 2>&1 </dev/null &
read -r display </run/display || { cat /run/xvfb.log >&2; exit 1; }
export DISPLAY=:$display
LD_PRELOAD=/lab/stand-in/udmabuf.so exec qemu-system-x86_64 "$@"
