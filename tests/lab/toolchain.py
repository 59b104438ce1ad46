# SPDX-License-Identifier: MIT
"""A root for each Debian suite with its compiler: what builds and checks modules for its kernels.

The headers are not in there, they come with the kernel: compiler and headers then need not be of
the same day.
"""

from pathlib import Path

from . import artefact, rootfs, stock

PACKAGES = "make perl python3-minimal sparse dkms kmod xz-utils"


def ingredients(about: stock.About) -> dict:
    return {"suite": _suite(about), "packages": sorted({*PACKAGES.split(), *about.tools}),
            "excluded": rootfs.EXCLUDED, "apt": rootfs.APT_OPTIONS, "recipe": 1}


def _suite(about: stock.About) -> str:
    """Backports are built with what their suite has."""
    return about.suite.removesuffix("-backports")


def ensure(about: stock.About) -> Path:
    """The artefact's folder; the file system is its subfolder root/."""
    made_from = ingredients(about)
    return artefact.make("toolchain", made_from, lambda part: rootfs.bootstrap(
        part, made_from["suite"], made_from["packages"],
        f"making the toolchain of Debian {made_from['suite']}"))


def outdated(kernels: list[stock.About]) -> list[Path]:
    return artefact.others("toolchain", *(artefact.path_of("toolchain", ingredients(about))
                                          for about in kernels))
