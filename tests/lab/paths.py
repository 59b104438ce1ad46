# SPDX-License-Identifier: MIT
"""Where things live, on the host and in the guest."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
LAB = SOURCE / "tests" / "lab"
DATA = LAB / "data"

# The same places in the guest and in the build's chroot, so that every path recorded at build time
# (manifests, debug information, Meson's own files) holds in both.
IN_ROOT = Path("/lab")
SOURCE_IN_ROOT = IN_ROOT / "src"
BUILD_IN_ROOT = IN_ROOT / "build"
OUT_IN_ROOT = IN_ROOT / "out"


def cache() -> Path:
    """The folder for everything that can be made again; created on demand."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The base directory specification says to ignore relative paths.
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    folder = root / "fencebridge"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
