#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-sway.sh OUT.png: sway's output, without the pointer. Compressed lightly: the picture
# is read once.
exec grim -l 1 "$1"
