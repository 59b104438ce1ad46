# SPDX-License-Identifier: MIT
"""Modules that a guest on a stock kernel loads in addition, built from that kernel's source.

sw_sync provides fences that a test signals. No stock kernel has it.

vgem gets timeline syncobjs, with which a test creates chains of fences. Stock vgem has none, and on
the older kernels no other device has any. With a compositor, vgem stands in for a GPU's render
node, as in the lab's own kernels (edits.py). There, DRM's core is edited; here, a module changes
the running kernel.

udmabuf is what lavapipe exports dma-bufs with. Debian's kernels before 6.12 lack it.
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
    made: tuple[tuple[str, str], ...] = ()  # names and texts of additional files


_SYNC = "drivers/dma-buf"
_VGEM = "drivers/gpu/drm/vgem"

# Other kernels have sw_sync built in. As a module it needs another include, and cannot call a
# function for debugging that is not exported.
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

# GBM allocates by the ioctls for dumb buffers, which DRM refuses on render nodes. The function
# drm_ioctl_kernel() decides that by its fourth argument, the ioctl's flags. This module sets the
# flag DRM_RENDER_ALLOW for all ioctls.
_RENDER_NODES = """
#include <linux/kprobes.h>
#include <linux/module.h>
#include <drm/drm_ioctl.h>

static int allow(struct kprobe *probe, struct pt_regs *registers)
{
	registers->cx |= DRM_RENDER_ALLOW;
	return 0;
}

static struct kprobe probe = { .symbol_name = "drm_ioctl_kernel", .pre_handler = allow };

static int __init start(void)
{
	return register_kprobe(&probe);
}

static void __exit stop(void)
{
	unregister_kprobe(&probe);
}

module_init(start);
module_exit(stop);
MODULE_DESCRIPTION("Render nodes that refuse no call");
MODULE_LICENSE("GPL");
"""
RENDER_NODES = Module("lab_render_nodes", "obj-m := lab_render_nodes.o\n", (), (),
                      (("lab_render_nodes.c", _RENDER_NODES),))

# udmabuf checks its memfd by functions that are not exported, so these checks are left out.
# lavapipe's memfds, which have small pages, would pass them. Pages are mapped as in newer kernels.
# Otherwise the kernel complains of pages that are still mapped when the memfd is closed.
_UDMABUF_AS_MODULE = """
#include <linux/hugetlb.h>
#include <linux/memfd.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
MODULE_IMPORT_NS(DMA_BUF);
#define shmem_mapping(mapping) true
#define is_file_hugepages(file) false
#define memfd_fcntl(file, command, argument) F_SEAL_SHRINK
"""
UDMABUF = Module("lab_udmabuf",
                 "obj-m := lab_udmabuf.o\nlab_udmabuf-y := udmabuf.o\n"
                 "ccflags-y += -include $(src)/as_module.h\n",
                 (f"{_SYNC}/udmabuf.c",),
                 (Edit(f"{_SYNC}/udmabuf.c",
                       r"\tvmf->page = (.*);\n\tget_page\(vmf->page\);\n\treturn 0;",
                       r"\treturn vmf_insert_pfn(vma, vmf->address, page_to_pfn(\1));", 1),
                  Edit(f"{_SYNC}/udmabuf.c", r"\tvma->vm_ops = &udmabuf_vm_ops;",
                       r"\tvma->vm_flags |= VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;\n\g<0>", 1)),
                 (("as_module.h", _UDMABUF_AS_MODULE),))

# The kernels on which no device has timeline syncobjs. They have no udmabuf either.
_OLD = ("debian-5.10", "debian-6.1")

_UNPACK = """
dpkg-deb --fsys-tarfile source/*.deb | tar -xO --wildcards '*.tar.xz' |
    tar -xJ --strip-components=1 --wildcards --one-top-level=tree "$@"
"""


def fences(kernel_name: str) -> list[Path]:
    """The modules that provide fences for the tests of fencebridge.ko, to load instead of the
    kernel's modules of these names. The lab's own kernels need none."""
    return _ensure(kernel_name, [SW_SYNC, *([VGEM] if kernel_name in _OLD else [])])


def render_node(kernel_name: str, udmabuf: bool = True) -> list[Path]:
    """The modules that compositor and driver need, as in fences(). Raises LabError if udmabuf is
    not wanted and the kernel has it."""
    if not udmabuf and kernel_name not in _OLD:
        raise LabError(f"{kernel_name} has udmabuf built in; without it: {', '.join(_OLD)}")
    with_udmabuf = udmabuf and kernel_name in _OLD
    return _ensure(kernel_name, [VGEM, RENDER_NODES, *([UDMABUF] if with_udmabuf else [])])


def outdated() -> list[Path]:
    return artefact.others("guest-modules", *(
        artefact.path_of("guest-modules", _ingredients(about, _all(name)))
        for name, about in kernels.stock_there()))


def _all(kernel_name: str) -> list[Module]:
    return [SW_SYNC, VGEM, RENDER_NODES, *([UDMABUF] if kernel_name in _OLD else [])]


def _ensure(kernel_name: str, modules: list[Module]) -> list[Path]:
    if kernel_name not in kernels.STOCK:
        return []
    about, everything = _about(kernel_name), _all(kernel_name)
    sources = artefact.make("guest-modules", _ingredients(about, everything),
                            lambda part: _fetch(part, about, everything))
    return [kmod.ensure(kernel_name, sources / module.name, module.name) / f"{module.name}.ko"
            for module in modules]


def _about(kernel_name: str) -> stock.About:
    return stock.about(kernels.find(kernel_name).ensure())


def _ingredients(about: stock.About, modules: list[Module]) -> dict:
    return {"suite": about.suite, "version": about.version, "steps": _UNPACK,
            "modules": [asdict(module) for module in modules]}


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
