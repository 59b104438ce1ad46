# SPDX-License-Identifier: MIT
"""Extra Debian packages as overlay layers: the cached root never changes.

apt downloads on the host, by chroot, and installs in a guest, where it is really root and can break
nothing; what that guest has written then becomes the layer. The guest's apt is given the files
alone, and finds the order: what a package pre-depends on is configured before it is unpacked.
"""

import contextlib
import json
import time
from pathlib import Path
from typing import Iterator

from . import artefact, guest, rootfs, sandbox
from .host import run_logged, tail
from .say import LabError, Ticker

_LISTS_OLD_SECONDS = 24 * 3600

# What any guest writes besides its packages is left out of the layer.
_INSTALL = r"""
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
apt-get "$@" --quiet --option Dpkg::Use-Pty=0 install --yes /lab/debs/*.deb
rm /usr/sbin/policy-rc.d
cp --recursive --no-dereference --preserve=mode,timestamps,links /lab/upper/. /lab/layer/
cd /lab/layer && rm -rf lab tmp run dev root etc/mtab var/log var/cache/apt var/lib/apt
"""


@contextlib.contextmanager
def layers(names: list[str]) -> Iterator[list[Path]]:
    """The overlay layers that bring these packages; none where there are none."""
    if not names:
        yield []
        return
    root = rootfs.ensure()
    folder = artefact.make("packages", _ingredients(root, names),
                           lambda part: _build(part, root, names))
    with sandbox.in_use(folder):
        yield [folder / "layer"]


def _ingredients(root: Path, names: list[str]) -> dict:
    return {"root": root.name, "packages": sorted(names), "steps": _INSTALL}


def _build(folder: Path, root: Path, names: list[str]) -> None:
    for name in ("debs", "layer", "logs"):
        (folder / name).mkdir()
    ticker = Ticker(f"installing {', '.join(names)}")
    log = folder / "logs" / "apt.log"
    box = sandbox.with_apt(root, debs=folder / "debs")
    if not _lists_are_fresh(root):
        sandbox.apt_update(box, log, ticker)
    run_logged(box.command(
        ["apt-get", *sandbox.apt_options(), "install", "--yes", "--download-only",
         # The root is read-only, and nobody else changes it.
         "-o", "Debug::NoLocking=1", "-o", "Dir::Cache::archives=/lab/debs", *names]), log, ticker)
    if list((folder / "debs").glob("*.deb")):
        _install_in_guest(folder, log)
    artefact.remove_tree(folder / "debs")
    ticker.done()


def _lists_are_fresh(root: Path) -> bool:
    """apt leaves its lists' modification times at the server's; the folder's own tells of use."""
    stamp = sandbox.apt_state(root) / "lists" / "lock"
    return stamp.exists() and time.time() - stamp.stat().st_mtime < _LISTS_OLD_SECONDS


def _install_in_guest(folder: Path, log: Path) -> None:
    request = guest.Request(
        argv=["sh", "-ec", _INSTALL, "sh", *sandbox.apt_options()], compositor="none", layer=False,
        env={"DEBIAN_FRONTEND": "noninteractive"}, logs=folder / "logs", timeout=600,
        mounts=[(folder / "debs", "/lab/debs"), (folder / "layer", "/lab/layer")])
    with log.open("ab") as out:
        status = guest.run(request, out.write, out.write)
    if status != 0:
        raise LabError(f"apt-get failed with status {status}; the end of {log.name}:\n{tail(log)}")


def outdated() -> list[Path]:
    """Layers are for one root; those of another are of no use."""
    current = artefact.path_of("root", rootfs.ingredients()).name
    return [folder for folder in artefact.others("packages")
            if json.loads((folder / "made-from.json").read_text())["root"] != current]
