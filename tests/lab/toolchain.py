# SPDX-License-Identifier: MIT
"""Toolchains: a root for each Debian suite, with the compiler for modules of the suite's kernels.

The headers are not in the toolchain but in the kernel's folder, so that a new version of the kernel
needs no new toolchain.
"""

from pathlib import Path

from . import artefact, rootfs, stock

PACKAGES = "make perl python3-minimal sparse dkms kmod xz-utils"


def ingredients(about: stock.About) -> dict:
    return {"suite": _suite(about), "packages": sorted({*PACKAGES.split(), *about.tools}),
            "excluded": rootfs.EXCLUDED, "apt": rootfs.APT_OPTIONS, "recipe": 1}


def _suite(about: stock.About) -> str:
    """The suite whose compiler is used. For a kernel of trixie-backports, this is trixie."""
    return about.suite.removesuffix("-backports")


def ensure(about: stock.About) -> Path:
    """The artefact's folder; its file system is the subfolder root/."""
    made_from = ingredients(about)
    return artefact.make("toolchain", made_from, lambda part: rootfs.bootstrap(
        part, made_from["suite"], made_from["packages"],
        f"making the toolchain of Debian {made_from['suite']}"))


def outdated(kernels: list[stock.About]) -> list[Path]:
    return artefact.others("toolchain", *(artefact.path_of("toolchain", ingredients(about))
                                          for about in kernels))
