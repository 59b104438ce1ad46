# SPDX-License-Identifier: MIT
"""Sources of fences that Debian leaves out of its kernels, built from each kernel's own source.

sw_sync, whose fences signal when a test says so, is in no stock kernel. vgem has timeline syncobjs,
and with them chains of fences, in none either, and before 5.17 no other device of the guest has.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from . import artefact, kernels, kmod, rootfs, sandbox, stock
from .archive import Archive
from .edits import EDITS, Edit, apply
from .host import run_logged
from .say import LabError, Ticker


@dataclass(frozen=True)
class Module:
    name: str
    kbuild: str
    files: tuple[str, ...]
    edits: tuple[Edit, ...]
    made: tuple[tuple[str, str], ...] = ()  # more files, and what is in them


_SYNC = "drivers/dma-buf"
_VGEM = "drivers/gpu/drm/vgem"

# Built in, as it is elsewhere, it need not include what makes it a module, and may call a function
# that is not exported and makes a text for debugging.
_AS_MODULE = """
#include <linux/module.h>
#include <linux/sync_file.h>
#define sync_file_get_name(sync_file, buffer, size) (buffer[0] = 0, buffer)
"""
SW_SYNC = Module(
    "lab_sw_sync",
    "obj-m := lab_sw_sync.o\nlab_sw_sync-y := sw_sync.o sync_debug.o license.o\n"
    "ccflags-y += -I$(src) -include $(src)/as_module.h\n",
    tuple(f"{_SYNC}/{name}" for name in ("sw_sync.c", "sync_debug.c", "sync_debug.h",
                                         "sync_trace.h")),
    (Edit(f"{_SYNC}/sync_trace.h", r"(#define TRACE_INCLUDE_PATH) .*", r"\1 .", 1),),
    (("as_module.h", _AS_MODULE),
     ("license.c", 'MODULE_DESCRIPTION("sw_sync");\nMODULE_LICENSE("GPL");\n')))
VGEM = Module(
    "vgem", "obj-m := vgem.o\nvgem-y := vgem_drv.o vgem_fence.o\n",
    tuple(f"{_VGEM}/{name}" for name in ("vgem_drv.c", "vgem_drv.h", "vgem_fence.c")),
    tuple(edit for edit in EDITS if edit.file.startswith(_VGEM)))

# The kernels whose other devices have no timeline syncobjs.
_NEED_VGEM = ("debian-5.10", "debian-6.1")

_UNPACK = """
dpkg-deb --fsys-tarfile source/*.deb | tar -xO --wildcards '*.tar.xz' |
    tar -xJ --strip-components=1 --wildcards --one-top-level=tree "$@"
"""


def ensure(kernel_name: str) -> list[Path]:
    """The modules for a stock kernel, to be loaded in place of what it has of these names."""
    wanted = _wanted(kernel_name)
    sources = _sources(kernel_name, wanted)
    return [kmod.ensure(kernel_name, sources / module.name, module.name) / f"{module.name}.ko"
            for module in wanted]


def remove_outdated() -> None:
    artefact.remove_others("fence-modules", *(
        artefact.path_of("fence-modules", _ingredients(_about(name), _wanted(name)))
        for name in kernels.STOCK))


def _wanted(kernel_name: str) -> list[Module]:
    return [SW_SYNC, *([VGEM] if kernel_name in _NEED_VGEM else [])]


def _about(kernel_name: str) -> stock.About:
    return stock.about(kernels.find(kernel_name).ensure())


def _ingredients(about: stock.About, modules: list[Module]) -> dict:
    return {"suite": about.suite, "version": about.version, "steps": _UNPACK,
            "modules": [asdict(module) for module in modules]}


def _sources(kernel_name: str, modules: list[Module]) -> Path:
    about = _about(kernel_name)
    return artefact.make("fence-modules", _ingredients(about, modules),
                         lambda part: _fetch(part, about, modules))


def _fetch(folder: Path, about: stock.About, modules: list[Module]) -> None:
    series = re.match(r"\d+\.\d+", about.release)
    if not series:
        raise LabError(f"a kernel without a version: {about.release}")
    ticker = Ticker(f"fetching the source of Linux {series[0]}")
    log = folder / "build.log"
    root = rootfs.ensure()
    (folder / "source").mkdir()
    with sandbox.in_use(root):
        archive = Archive(root, folder / "archive", (about.suite,), log, ticker)
        archive.download([archive.newest(f"linux-source-{series[0]}")], folder / "source")
        box = sandbox.Sandbox(root / "root", writable={"source": folder})
        patterns = [f"*/{name}" for module in modules for name in module.files]
        run_logged(box.command(["/bin/sh", "-ec", _UNPACK, "sh", *patterns], "/lab/source"), log,
                   ticker)
    for module in modules:
        apply(folder / "tree", module.edits)
        (folder / module.name).mkdir()
        for name in module.files:
            (folder / "tree" / name).rename(folder / module.name / Path(name).name)
        for name, text in (("Kbuild", module.kbuild), *module.made):
            (folder / module.name / name).write_text(text)
    for rest in ("tree", "source", "archive"):
        artefact.remove_tree(folder / rest)
    ticker.done()
