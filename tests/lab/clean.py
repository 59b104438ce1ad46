# SPDX-License-Identifier: MIT
"""Removal of folders of the cache that are not needed any more, by `lab clean` and `lab setup`.

A folder that a running lab uses is locked, and is not removed.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import artefact, build, deb_root, guest_modules, kernels, kmod, pack_root, packages, rootfs
from .paths import SOURCE, cache
from .say import LabError, Ticker, say

DAYS = 30


@dataclass(frozen=True)
class Leftover:
    folder: Path
    why: str


def run(days: float, dry_run: bool) -> int:
    ticker = Ticker("measuring what is not needed any more")
    sizes = {}
    for leftover in _leftovers(days):
        sizes[leftover] = _size_of(leftover.folder)
        ticker.tick(leftover.folder.name)
    freed, failed = 0, False
    for leftover, size in sizes.items():
        verdict = "would be removed" if dry_run else "removed"
        with _unused(leftover.folder) as unused:
            # Another lab may have used or completed the folder since it was found.
            if unused and leftover.folder not in [each.folder for each in _leftovers(days)]:
                continue
            if not unused:
                verdict = "kept, a running lab uses it"
            elif not dry_run:
                say(f"removing {leftover.folder.name}, {_readable(size)}")
                try:
                    artefact.remove_tree(leftover.folder)
                except (OSError, LabError) as error:
                    verdict, unused, failed = f"kept: {error}", False, True
        freed += size if unused else 0
        print(f"{_readable(size):>9}  {leftover.folder.name}: {leftover.why}; {verdict}")
    print(f"{_readable(freed):>9}  {'would be' if dry_run else 'was'} freed in {cache()}")
    return 1 if failed else 0


def remove_outdated() -> None:
    for leftover in outdated():
        artefact.remove_unless_used(leftover.folder)


def _leftovers(days: float) -> list[Leftover]:
    return [*parts(), *builds(days), *outdated()]


def parts() -> list[Leftover]:
    """Incomplete artefacts. Those that a running lab is building are locked."""
    return [Leftover(folder, "half made") for folder in sorted(cache().glob("*.part"))]


def builds(days: float) -> list[Leftover]:
    found = []
    for folder in sorted(cache().glob("build-*")):
        if not folder.is_dir():
            continue
        tree = build.tree_of(folder)
        idle = (time.time() - build.last_built(folder)) / (24 * 3600)
        if tree is not None and not tree.is_dir():
            found.append(Leftover(folder, f"the build of {tree}, which is gone"))
        elif idle > days and tree != SOURCE:
            found.append(Leftover(folder, f"the build of {tree or 'an unknown tree'}, "
                                          f"last used {idle:.0f} days ago"))
    return found


def outdated() -> list[Leftover]:
    """Artefacts whose ingredients are not those that this tree's lab would use today."""
    found = [*rootfs.outdated(), *pack_root.outdated(), *deb_root.outdated(), *kernels.outdated(),
             *packages.outdated(), *guest_modules.outdated()]
    found += kmod.outdated(found)
    return [Leftover(folder, "outdated") for folder in found]


@contextlib.contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Context: yields whether no lab builds or uses the folder. If so, none can start to until the
    context ends."""
    locks = [artefact.lock_of(folder.with_name(folder.name.removesuffix(".part")))]
    if folder.name.startswith("build-"):
        locks.append(build.use_lock_of(folder))
    with contextlib.ExitStack() as stack:
        yield all(stack.enter_context(artefact.locked(lock, wait=False)) for lock in locks)


def _size_of(folder: Path) -> int:
    """The space on disk, in bytes."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
    return total


def _readable(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
