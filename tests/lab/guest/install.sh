#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh: the guest's half of the suite `install`. $OUT/dest is what `meson install` made; for
# every way of switching the layer on or off, $OUT has a client's output (WAY.log) and its exit
# status (WAY.status).

unset VK_INSTANCE_LAYERS VK_ADD_LAYER_PATH ENABLE_FENCEBRIDGE DISABLE_FENCEBRIDGE
export FENCEBRIDGE_LOG_LEVEL=info

try() { # WAY, then what to run vkcube with
    way=$1
    shift
    "$@" vkcube --wsi wayland --c 10 >"$OUT/$way.log" 2>&1
    echo $? >"$OUT/$way.status"
}

try_all() { # PLACE
    try "$1" env
    try "$1-by-name" env VK_INSTANCE_LAYERS=VK_LAYER_FENCEBRIDGE_wsi
    try "$1-enabled" env ENABLE_FENCEBRIDGE=1
    try "$1-disabled" env ENABLE_FENCEBRIDGE=1 DISABLE_FENCEBRIDGE=1
}

name=VkLayer_FENCEBRIDGE_wsi.json
try absent env
try devenv meson devenv -C "$BUILD" env VK_INSTANCE_LAYERS=VK_LAYER_FENCEBRIDGE_wsi

# The guest's root is a throw-away: install for good.
cp -a "$OUT/dest/." /
try_all installed

# The manifest alone in the home folder, with the library where it was installed.
mkdir -p ~/.local/share/vulkan/implicit_layer.d
mv /usr/local/share/vulkan/implicit_layer.d/$name ~/.local/share/vulkan/implicit_layer.d/$name
try_all home
