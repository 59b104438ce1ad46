# SPDX-License-Identifier: MIT
"""Folders for the logs of runs without --out.

A run holds a lock in its folder as long as it may write there. Only the newest folders are kept; a
folder whose lock is held is never removed.
"""

import contextlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Iterator

from . import artefact
from .paths import cache

KEPT = 20
_LOCK = "lock"


@contextlib.contextmanager
def run_folder(kind: str) -> Iterator[Path]:
    """Context: a new folder, which no other lab removes until the context ends."""
    base = cache() / "logs"
    base.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        # Another lab must not find a new folder before its lock is held.
        with artefact.locked(artefact.lock_of(base)):
            _remove_oldest(base)
            # Names sort by the time at which the runs began, even within a second.
            name = f"{datetime.now():%Y%m%d-%H%M%S-%f}-{kind}-"
            folder = Path(tempfile.mkdtemp(prefix=name, dir=base))
            stack.enter_context(artefact.locked(folder / _LOCK))
        yield folder


def _remove_oldest(base: Path) -> None:
    for folder in sorted(base.iterdir())[:-KEPT]:
        # A folder may belong to another user, or have a file system mounted in it.
        with contextlib.suppress(OSError, artefact.LabError):
            with artefact.locked(folder / _LOCK, wait=False) as finished:
                if finished:
                    artefact.remove_tree(folder)
