#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-weston.sh OUT.png: saves a picture of Weston's output. Weston has to run with --debug,
# which lets every client take screenshots.
set -e
out=$(realpath "$1")

# weston-screenshooter writes to the current folder, and chooses the name of the file.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
weston-screenshooter
set -- *.png
[ $# -eq 1 ] && [ -s "$1" ]
cp "$1" "$out"
