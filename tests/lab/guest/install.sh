#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh: the guest's side of the suite `install`. $OUT/dest has the files of `meson install`.
# For every way of switching the layer on or off, it leaves a client's output (WAY.log) and its exit
# status (WAY.status) in $OUT.

unset VK_INSTANCE_LAYERS VK_ADD_LAYER_PATH ENABLE_FENCEBRIDGE DISABLE_FENCEBRIDGE
export FENCEBRIDGE_LOG_LEVEL=info

try() { # WAY, then a command that runs vkcube
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

# Installs into the guest's root, which lasts as long as the guest.
cp -a "$OUT/dest/." /
try_all installed

# The manifest alone is in the home folder; the library is where it was installed.
mkdir -p ~/.local/share/vulkan/implicit_layer.d
mv /usr/local/share/vulkan/implicit_layer.d/$name ~/.local/share/vulkan/implicit_layer.d/$name
try_all home
