# SPDX-License-Identifier: MIT
"""This tree's .debs, built as debian/ says in a root of deb_root.py."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import artefact, deb_root, host, sandbox
from .paths import SOURCE
from .say import LabError, Ticker

OLD = "0.0.9"  # lower than any version of this tree

_LEFT_OUT = shutil.ignore_patterns(".git", "build", "build-*", "out", "__pycache__")

# dpkg-buildpackage leaves its products beside the source. With --no-pre-clean, the second build
# compiles nothing again, since the folder obj-* of the first is kept.
_BUILD = """
dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo "$@"
mkdir "../$version"
mv ../*.deb ../*.changes ../*.buildinfo "../$version"
dh_clean --exclude obj-
"""


@dataclass(frozen=True)
class Debs:
    """Two versions, each in a folder of that name: OLD and the tree's own."""

    folder: Path
    version: str


def version_of(source: Path) -> str:
    """The version in debian/changelog."""
    return re.match(r"fencebridge \((.+?)\)", (source / "debian/changelog").read_text())[1]


def build(suite: str, folder: Path, log: Path) -> Debs:
    """Builds both versions in the folder, which is emptied first."""
    artefact.remove_tree(folder)
    source = folder / "fencebridge"
    shutil.copytree(SOURCE, source, ignore=_LEFT_OUT)
    version = version_of(source)
    ticker = Ticker(f"building .debs for Debian {suite}")
    root = deb_root.ensure(suite)
    with sandbox.in_use(root):
        box = sandbox.Sandbox(root / "root", writable={"debs": folder})
        for old, new, options in ((version, OLD, []), (OLD, version, ["--no-pre-clean"])):
            _rename(source, old, new)
            box.environment["version"] = new
            host.run_logged(box.command(["sh", "-ec", _BUILD, "sh", *options],
                                        "/lab/debs/fencebridge"), log, ticker)
    ticker.done()
    return Debs(folder, version)


def lintian(suite: str, debs: Debs) -> list[str]:
    """The errors and warnings that lintian has about the tree's own version."""
    root = deb_root.ensure(suite)
    with sandbox.in_use(root):
        box = sandbox.Sandbox(root / "root", readonly={"debs": debs.folder / debs.version})
        done = box.run(["sh", "-c", "lintian --allow-root *.changes"], "/lab/debs",
                       capture_output=True, text=True)
    complaints = done.stdout.splitlines()
    if done.stderr or (done.returncode != 0 and not complaints):
        raise LabError(f"lintian failed with status {done.returncode}: {done.stderr}")
    return complaints


def _rename(source: Path, old: str, new: str) -> None:
    """Replaces the version of the tree and of its newest changelog entry."""
    for name, before, after in (("meson.build", f"version: '{old}'", f"version: '{new}'"),
                                ("debian/changelog", f"({old})", f"({new})")):
        text = (source / name).read_text()
        if before not in text:
            raise LabError(f"{name} has no {before!r}")
        (source / name).write_text(text.replace(before, after, 1))
