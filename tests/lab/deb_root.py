# SPDX-License-Identifier: MIT
"""Roots of several Debian suites that build this tree's .debs, and in which guests install them.

The packages are those of `Build-Depends` in debian/control, lintian, and what uses the .debs: a
driver, a compositor and a client for the layer, DKMS and udev for the module.
"""

from pathlib import Path

from . import artefact, rootfs

SUITES = ("bookworm", "forky")

PACKAGES = {
    "system": "ca-certificates mount procps kmod udev iproute2 python3-minimal xkb-data",
    "tools": "build-essential debhelper dh-dkms lintian",
    "tree": "meson ninja-build pkgconf libvulkan-dev libdrm-dev libwayland-dev wayland-protocols",
    "layer": "libvulkan1 mesa-vulkan-drivers weston vulkan-tools",
    "module": "dkms",
}

# As that of rootfs.py. The mount of util-linux before 2.39 calls mount(2), in which the data for
# hostfs are the folder alone.
FIRST_PROGRAM = """#!/bin/sh
{ mount -t hostfs -o "hostfs=$lab_boot" none /lab 2>/dev/null ||
    mount -t hostfs -o "$lab_boot" none /lab; } && exec /bin/sh /lab/init.sh
"""


def ingredients(suite: str) -> dict:
    return {"suite": suite, "packages": PACKAGES, "excluded": rootfs.EXCLUDED,
            "apt": rootfs.APT_OPTIONS, "first program": FIRST_PROGRAM, "recipe": 1}


def ensure(suite: str) -> Path:
    """The artefact's folder; the file system is its subfolder root/."""
    return artefact.make("deb-root", ingredients(suite), lambda part: _build(part, suite))


def outdated() -> list[Path]:
    return artefact.others("deb-root", *(artefact.path_of("deb-root", ingredients(suite))
                                         for suite in SUITES))


def _build(folder: Path, suite: str) -> None:
    packages = [name for group in PACKAGES.values() for name in group.split()]
    rootfs.bootstrap(folder, suite, packages, f"making the root of .debs (Debian {suite})")
    rootfs.add_first_program(folder / "root", FIRST_PROGRAM)
