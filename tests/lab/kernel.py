# SPDX-License-Identifier: MIT
"""User Mode Linux kernels, built in the root from the kernel source package of its suite."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import artefact, edits, rootfs, sandbox
from .host import run_logged, tail
from .paths import DATA
from .say import LabError, Ticker

_TREE = "/lab/kernel/tree"

# The documentation is a quarter of the source, and is left out. Kconfig reads
# Documentation/Kconfig, so an empty file stands in for that one.
_UNPACK = """
dpkg-deb --fsys-tarfile "$(ls ./linux-source-*.deb)" | tar -xO --wildcards '*.tar.xz' |
    tar -xJ --exclude='*/Documentation' --strip-components=1 --one-top-level=tree
mkdir -p tree/Documentation && : >tree/Documentation/Kconfig
rm ./linux-source-*.deb
"""

_CONFIGURE = """
make -s ARCH=um tinyconfig
ARCH=um scripts/kconfig/merge_config.sh -m .config ../uml.config
make -s ARCH=um olddefconfig
"""

# Keeps the files that building a module for this kernel reads: 0.2 GB of 1.8 GB.
_TRIM = """
make -s ARCH=um modules_prepare
cp linux ../linux
find . \\( -path ./scripts -o -path ./include -o -path ./tools -o -path ./arch/um \\
    -o -path ./arch/x86 \\) -prune -o -type f ! -name 'Makefile*' ! -name 'Kbuild*' \\
    ! -name 'Kconfig*' ! -name .config ! -name Module.symvers ! -name System.map \\
    -exec rm {} +
find . -mindepth 1 -type d -empty -delete
"""


@dataclass(frozen=True)
class Flavour:
    """One configuration of the source: the files with its options, and its edits."""

    configs: tuple[str, ...]
    what: str
    objects: int  # how many are compiled, roughly; the progress shows it
    edits: list[edits.Edit]

    def options(self) -> str:
        return "".join((DATA / name).read_text() for name in self.configs)


PLAIN = Flavour(("uml.config",), "the User Mode Linux kernel", 1334, edits.EDITS)
DEBUG = Flavour(("uml.config", "uml-debug.config"), "the User Mode Linux kernel for debugging",
                1375, edits.EDITS + edits.DEBUG_EDITS)
FLAVOURS = (PLAIN, DEBUG)


def ingredients(flavour: Flavour) -> dict:
    # The root is no ingredient: the kernel is a static binary, and does not depend on packages.
    return {"suite": rootfs.SUITE, "options": flavour.options(),
            "edits": edits.ingredients(flavour.edits), "steps": [_UNPACK, _CONFIGURE, _TRIM],
            "recipe": 1}


def ensure(flavour: Flavour = PLAIN) -> Path:
    """The artefact's folder, with linux (the kernel) and tree/ (to build modules with)."""
    return artefact.make("kernel", ingredients(flavour), lambda part: _build(part, flavour))


def outdated() -> list[Path]:
    return artefact.others("kernel", *(artefact.path_of("kernel", ingredients(flavour))
                                       for flavour in FLAVOURS))


def _build(folder: Path, flavour: Flavour) -> None:
    log = folder / "build.log"
    root = rootfs.ensure()
    with sandbox.in_use(root):
        box = sandbox.with_apt(root, kernel=folder)
        _fetch(box, log)
        ticker = Ticker("unpacking the kernel source")
        _shell(box, _UNPACK, "/lab/kernel", log, ticker)
        ticker.done()
        edits.apply(folder / "tree", flavour.edits)
        _configure(box, folder, flavour, log)
        ticker = Ticker(f"building {flavour.what}")
        jobs = len(os.sched_getaffinity(0))
        _shell(box, f"make ARCH=um -j{jobs} linux modules", _TREE, log, ticker,
               _ObjectCounter(flavour.objects))
        _shell(box, _TRIM, _TREE, log, ticker)
        ticker.done()


def _fetch(box: sandbox.Sandbox, log: Path) -> None:
    ticker = Ticker("fetching the kernel source")
    sandbox.apt_update(box, log, ticker)
    depends = box.run(["apt-cache", "depends", "linux-source"], stdout=subprocess.PIPE, text=True)
    versions = re.findall(r"Depends: (linux-source-[\w.]+)", depends.stdout)
    if not versions:
        raise LabError(f"Debian {rootfs.SUITE} has no linux-source package:\n{depends.stdout}")
    command = ["apt-get", *sandbox.apt_options(), "download", versions[0]]
    run_logged(box.command(command, "/lab/kernel"), log, ticker)
    ticker.done(versions[0])


def _configure(box: sandbox.Sandbox, folder: Path, flavour: Flavour, log: Path) -> None:
    ticker = Ticker("configuring the kernel")
    wanted = flavour.options()
    (folder / "uml.config").write_text(wanted)
    _shell(box, _CONFIGURE, _TREE, log, ticker)
    got = set((folder / "tree" / ".config").read_text().splitlines())
    # olddefconfig silently drops options that this kernel does not know or cannot combine.
    lost = [line for line in re.findall(r"^CONFIG_\w+=y$", wanted, re.MULTILINE)
            if line not in got]
    if lost:
        raise LabError(f"this kernel does not take: {', '.join(lost)}; see tests/lab/data/")
    ticker.done()


def _shell(box: sandbox.Sandbox, script: str, cwd: str, log: Path, ticker: Ticker,
           follow=None) -> None:
    run_logged(box.command(["/bin/sh", "-ec", script], cwd), log, ticker, follow)


class _ObjectCounter:
    """Counts lines of make's output like `  CC      fs/open.o`."""

    def __init__(self, expected: int):
        self.expected = expected
        self.seen = 0

    def __call__(self, line: str) -> str | None:
        if not re.match(r"  (CC|AS|AR)\b", line):
            return None
        self.seen += 1
        return f"{self.seen} of about {self.expected} objects"


def release(folder: Path) -> str:
    """The output of `uname -r` on this kernel."""
    path = folder / "tree" / "include" / "config" / "kernel.release"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise LabError(f"incomplete kernel folder {folder}:\n{tail(path)}") from error
