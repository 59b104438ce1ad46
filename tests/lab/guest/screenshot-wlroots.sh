#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-wlroots.sh OUT.png: saves a picture of the output of sway or labwc, without the
# pointer. The compression is light, since the picture is read once.
exec grim -l 1 "$1"
