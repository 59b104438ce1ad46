#!/bin/sh
# SPDX-License-Identifier: MIT
# screenshot-kwin.sh OUT.png: saves a picture of KWin's workspace. KWin has to run with
# KWIN_SCREENSHOT_NO_PERMISSION_CHECKS=1, on the session bus of this script.
exec python3 -I -S "$(dirname "$0")/screenshot_kwin.py" "$1"
