# SPDX-License-Identifier: MIT
"""The root of `lab gpu-pack`: a Debian that is old enough for its programs to run elsewhere.

Programs that were linked with a glibc run with that version and all newer ones. Debian 12 has 2.36,
which is older than that of Ubuntu 24.04, Debian 13 and their derivatives. It is also the oldest
Debian that builds this tree.
"""

from pathlib import Path

from . import artefact, rootfs

SUITE = "bookworm"

PACKAGES = {
    "packed": "weston vulkan-tools vulkan-validationlayers libvulkan1 xkb-data libx11-6 libxext6 "
              "libx11-xcb1 libwayland-client0 libwayland-egl1 libdrm2 libgbm1",
    "tree": "g++ meson ninja-build pkgconf libvulkan-dev libdrm-dev libwayland-dev "
            "wayland-protocols libgtest-dev libgmock-dev",
}


def ingredients() -> dict:
    return {"suite": SUITE, "packages": PACKAGES, "excluded": rootfs.EXCLUDED,
            "apt": rootfs.APT_OPTIONS, "recipe": 1}


def ensure() -> Path:
    """The artefact's folder; the file system is its subfolder root/."""
    packages = [name for group in PACKAGES.values() for name in group.split()]
    return artefact.make("pack-root", ingredients(), lambda part: rootfs.bootstrap(
        part, SUITE, packages, f"making the root of packed programs (Debian {SUITE})"))


def outdated() -> list[Path]:
    return artefact.others("pack-root", artefact.path_of("pack-root", ingredients()))
