# SPDX-License-Identifier: MIT
"""The folders of the lab, on the host and in the guest."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
LAB = SOURCE / "tests" / "lab"
DATA = LAB / "data"

# The guest and the chroot of builds have these folders at the same paths. So every path that a
# build records (in manifests, debug information and Meson's files) is valid in both.
IN_ROOT = Path("/lab")
SOURCE_IN_ROOT = IN_ROOT / "src"
BUILD_IN_ROOT = IN_ROOT / "build"
OUT_IN_ROOT = IN_ROOT / "out"


def cache() -> Path:
    """The folder for everything that the lab can create again. It is created if it is missing."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The base directory specification says to ignore relative paths.
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    folder = root / "fencebridge"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
