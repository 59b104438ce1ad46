#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-weston.sh OUT.png: Weston's output, for either of its renderers. Weston has to run with
# --debug, which opens its capture protocol to every client.
set -e
out=$(realpath "$1")

# weston-screenshooter chooses its file's name itself, in the current folder.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
weston-screenshooter
set -- *.png
[ $# -eq 1 ] && [ -s "$1" ]
cp "$1" "$out"
