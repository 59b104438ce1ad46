# SPDX-License-Identifier: MIT
"""Artefacts: cached folders, each named after a hash of its ingredients.

The folder KIND-KEY is always complete: it is built as KIND-KEY.part and then renamed. Beside it is
a lock file. Whoever builds or removes the folder holds the lock exclusively, and whoever uses the
folder holds a shared lock. A build that fails or is interrupted removes its KIND-KEY.part. The
KIND-KEY.part of a lab that was killed is removed by the next build of the same artefact, or by
`lab clean`.
"""

import contextlib
import fcntl
import hashlib
import json
import shutil
from pathlib import Path
from typing import Callable, Iterator

from .paths import cache
from .say import LabError, note, say


def key_of(ingredients: object) -> str:
    """A short hash of anything that JSON can represent."""
    text = json.dumps(ingredients, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextlib.contextmanager
def locked(path: Path, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Context: the lock is held. Yields False if another process holds it and wait is false."""
    with path.open("a") as handle:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            say(f"waiting for another lab ({path.name})")
            fcntl.flock(handle, kind)
        yield True


def lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def path_of(kind: str, ingredients: object) -> Path:
    return cache() / f"{kind}-{key_of(ingredients)}"


def remove_tree(path: Path) -> None:
    """Removes a folder, even if it has folders without write permission, as an unpacked root has.

    Raises LabError if another file system is mounted in the folder.
    """
    def open_up(function, name, _error):
        Path(name).parent.chmod(0o700)
        with contextlib.suppress(OSError):
            Path(name).chmod(0o700)
        function(name)

    if not path.exists():
        return
    if mounts := _mounts_below(path):
        raise LabError(f"not removing {path}, as something is mounted in it; first\n"
                       f"     umount {' '.join(reversed(mounts))}")
    shutil.rmtree(path, onerror=open_up)


def _mounts_below(path: Path) -> list[str]:
    prefix = f"{path.resolve()}/"
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        points = [line.split()[1].replace("\\040", " ") for line in mounts]
    return [point for point in points if point.startswith(prefix)]


def make(kind: str, ingredients: object, build: Callable[[Path], None]) -> Path:
    """The folder for these ingredients. It is built now if it does not exist."""
    final = path_of(kind, ingredients)
    if final.is_dir():
        return final
    with locked(lock_of(final)):
        if final.is_dir():  # another lab built it meanwhile
            return final
        part = final.with_name(final.name + ".part")
        remove_tree(part)
        part.mkdir()
        try:
            build(part)
            (part / "made-from.json").write_text(json.dumps(ingredients, indent=2, sort_keys=True))
            part.rename(final)
        except BaseException:
            remove_tree(part)
            raise
    return final


def others(kind: str, *keep: Path) -> list[Path]:
    """The complete folders of a kind, except for the ones to keep."""
    return [folder for folder in sorted(cache().glob(f"{kind}-*"))
            if folder.is_dir() and folder.suffix != ".part" and folder not in keep]


def remove_unless_used(folder: Path) -> None:
    with locked(lock_of(folder), wait=False) as mine:
        if mine:
            note(f"removing the outdated {folder.name}")
            remove_tree(folder)
