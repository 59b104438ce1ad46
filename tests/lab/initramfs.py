# SPDX-License-Identifier: MIT
"""The initramfs of a stock kernel. It loads modules, and then mounts the lab's root.

A stock kernel has the drivers for shared folders as modules, which have to be loaded first.
"""

import gzip
import re
from pathlib import Path, PurePosixPath

from .say import LabError

# Loaded in this order, each after its dependencies.
MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"]

# The two 9p mounts, root and boot, last until the guest ends. Writes to the boot folder must reach
# the host at once. The root does not change, so it may be cached. init.sh uses the copy of busybox
# in /run.
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/order); do
    /bin/busybox insmod "/modules/$module" || echo "lab: cannot load $module"
done
options=trans=virtio,version=9p2000.L,msize=512000
/bin/busybox mount -t 9p -o ro,$options,cache=loose root /new &&
    /bin/busybox mount -t 9p -o $options boot /new/lab &&
    /bin/busybox mount -t tmpfs -o mode=755 upper /new/run &&
    /bin/busybox cp /bin/busybox /new/run/busybox &&
    /bin/busybox umount /dev &&
    exec /bin/busybox switch_root /new /bin/sh /lab/init.sh
echo "lab: the root could not be mounted"
"""


def load_order(modules_dep: str, builtin: str, names: list[str]) -> list[str]:
    """The files of these modules in the order to load them, each after its dependencies.

    modules_dep and builtin are the texts of modules.dep and modules.builtin.
    """
    needs = {}
    for line in modules_dep.splitlines():
        path, _, dependencies = line.partition(":")
        # As modprobe does: of the dependencies in a line, the last is loaded first.
        needs[path] = dependencies.split()[::-1]
    by_name = {module_name(path): path for path in needs}
    there = {module_name(path) for path in builtin.split()}
    order: list[str] = []

    def add(path: str) -> None:
        for dependency in needs[path]:
            add(dependency)
        if path not in order:
            order.append(path)

    for name in map(module_name, names):
        if name in by_name:
            add(by_name[name])
        elif name not in there:
            raise LabError(f"this kernel has no module {name}")
    return order


def module_name(path: str) -> str:
    """9pnet for `kernel/net/9p/9pnet.ko.xz`. A dash in a name means an underscore."""
    return re.sub(r"\.ko(\.\w+)?$", "", PurePosixPath(path).name).replace("-", "_")


def write(path: Path, busybox: Path, modules: list[Path]) -> None:
    """Writes the initramfs. The modules are uncompressed files in the order to load them."""
    order = "".join(f"{module.name}\n" for module in modules)
    parts = [_directory(name) for name in ("bin", "dev", "modules", "new")]
    parts += [_file("init", INIT.encode(), 0o755),
              _file("bin/busybox", busybox.read_bytes(), 0o755),
              _file("modules/order", order.encode())]
    parts += [_file(f"modules/{module.name}", module.read_bytes()) for module in modules]
    parts.append(_file("TRAILER!!!", b"", 0))
    with gzip.open(path, "wb", compresslevel=1) as archive:
        archive.write(b"".join(parts))


def _directory(name: str) -> bytes:
    return _entry(name, 0o040755, b"")


def _file(name: str, data: bytes, permissions: int = 0o644) -> bytes:
    return _entry(name, 0o100000 | permissions, data)


def _entry(name: str, mode: int, data: bytes) -> bytes:
    """A member of a cpio archive, in the format of the kernel's early-userspace/buffer-format."""
    path = name.encode() + b"\0"
    links, ino, nobody, no_device, no_check = 1, 0, 0, 0, 0
    fields = [ino, mode, nobody, nobody, links, 0, len(data), no_device, no_device, no_device,
              no_device, len(path), no_check]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + path) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
