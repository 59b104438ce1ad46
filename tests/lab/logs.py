# SPDX-License-Identifier: MIT
"""The folders for the logs of runs that were given no --out.

A run holds a lock in its folder for as long as it may write there. The oldest folders are removed,
but never one whose lock is held.
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
    """A new folder, not to be removed until the context ends."""
    base = cache() / "logs"
    base.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        # Another lab must not find a new folder before its lock is held.
        with artefact.locked(artefact.lock_of(base)):
            _remove_oldest(base)
            # In the order in which they began, even within a second.
            name = f"{datetime.now():%Y%m%d-%H%M%S-%f}-{kind}-"
            folder = Path(tempfile.mkdtemp(prefix=name, dir=base))
            stack.enter_context(artefact.locked(folder / _LOCK))
        yield folder


def _remove_oldest(base: Path) -> None:
    for folder in sorted(base.iterdir())[:-KEPT]:
        # One of another user's, or with something mounted in it, is no reason to fail.
        with contextlib.suppress(OSError, artefact.LabError):
            with artefact.locked(folder / _LOCK, wait=False) as finished:
                if finished:
                    artefact.remove_tree(folder)
