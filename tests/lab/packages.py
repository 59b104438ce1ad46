# SPDX-License-Identifier: MIT
"""Additional Debian packages, as overlays on the root, which itself never changes.

apt downloads packages on the host, by chroot. Another apt installs them in a guest, in which it has
all rights of root and can break nothing. The files that the guest has written are the overlay. The
guest's apt receives the packages' files alone and determines their order: it configures a package
that another one pre-depends on before it unpacks the other.

NAME/SUITE is the package as another Debian suite has it. What it depends on comes from the root's
suite, as far as it is not listed.
"""

import contextlib
import json
import time
from pathlib import Path
from typing import Iterator

from . import artefact, guest, rootfs, sandbox
from .archive import Archive
from .host import run_logged, tail
from .say import LabError, Ticker

_LISTS_OLD_SECONDS = 24 * 3600

# The overlay leaves out files that every guest writes.
_INSTALL = r"""
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
apt-get "$@" --quiet --option Dpkg::Use-Pty=0 install --yes /lab/debs/*.deb
rm /usr/sbin/policy-rc.d
cp --recursive --no-dereference --preserve=mode,timestamps,links /lab/upper/. /lab/layer/
cd /lab/layer && rm -rf lab tmp run dev root etc/mtab var/log var/cache/apt var/lib/apt
"""


@contextlib.contextmanager
def layers(names: list[str]) -> Iterator[list[Path]]:
    """Context: the overlays that have these packages."""
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
    own, foreign = by_suite(names)
    for suite, others in foreign.items():
        archive = Archive(root, folder / "archive", (suite,), log, ticker)
        archive.download([archive.newest(name) for name in others], folder / "debs")
        artefact.remove_tree(folder / "archive")
    files = [f"/lab/debs/{file.name}" for file in (folder / "debs").glob("*.deb")]
    box = sandbox.with_apt(root, debs=folder / "debs")
    if not _lists_are_fresh(root):
        sandbox.apt_update(box, log, ticker)
    run_logged(box.command(
        ["apt-get", *sandbox.apt_options(), "install", "--yes", "--download-only",
         # apt needs no lock, since the root is read-only.
         "-o", "Debug::NoLocking=1", "-o", "Dir::Cache::archives=/lab/debs", *own, *files]), log,
        ticker)
    if list((folder / "debs").glob("*.deb")):
        _install_in_guest(folder, log)
    artefact.remove_tree(folder / "debs")
    ticker.done()


def by_suite(names: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The names of packages of the root's suite, and those of other suites by suite."""
    own, foreign = [], {}
    for name in names:
        package, _, suite = name.partition("/")
        if suite:
            foreign.setdefault(suite, []).append(package)
        else:
            own.append(package)
    return own, foreign


def _lists_are_fresh(root: Path) -> bool:
    """Judged by the time of apt's lock file, since the lists have the server's times."""
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
    """The overlays that are for another root than the present one."""
    current = artefact.path_of("root", rootfs.ingredients()).name
    return [folder for folder in artefact.others("packages")
            if json.loads((folder / "made-from.json").read_text())["root"] != current]
