#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-wlroots.sh OUT.png: the output of sway or labwc, without the pointer. Compressed
# lightly: the picture is read once.
exec grim -l 1 "$1"
