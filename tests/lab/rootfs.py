# SPDX-License-Identifier: MIT
"""The root: a Debian file system that is the guest's root and the newest build environment."""

import subprocess
from pathlib import Path

from . import artefact, host
from .say import LabError, Ticker, say

SUITE = "forky"

PACKAGES = {
    "system": "ca-certificates mount procps xkb-data fonts-dejavu-core dbus dbus-daemon kmod "
              "python3-minimal libpython3-stdlib less iproute2",
    "driver": "mesa-vulkan-drivers libgl1-mesa-dri libegl1 libgles2",
    "compositors": "weston sway labwc grim wlr-randr kwin-wayland wayland-utils",
    "tools": "vulkan-tools vulkan-validationlayers strace igt-gpu-tools-tests",
    "tree": "g++ meson ninja-build pkgconf libvulkan-dev libdrm-dev libwayland-dev "
            "wayland-protocols libgtest-dev libgmock-dev glslang-tools",
    "kernel": "make flex bison bc libelf-dev libssl-dev xz-utils",
}

# The lab reads none of these files, about a third of all files of the packages.
EXCLUDED = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]

# The first program of a guest on User Mode Linux. It only runs init.sh from the host's boot folder,
# so that a change of init.sh needs no new root. The kernel passes lab_boot=DIR on in the
# environment.
FIRST_PROGRAM = """#!/bin/sh
mount -t hostfs -o "hostfs=$lab_boot" none /lab && exec /bin/sh /lab/init.sh
"""

APT_OPTIONS = {
    # A mirror may keep a snapshot of a testing suite longer than its release file is valid.
    "Acquire::Check-Valid-Until": "false",
    "Acquire::Retries": "5",
    "APT::Install-Recommends": "false",
    # The cache is in a home folder, which apt's own user cannot enter.
    "APT::Sandbox::User": "root",
}


def ingredients() -> dict:
    return {"suite": SUITE, "packages": PACKAGES, "excluded": EXCLUDED, "apt": APT_OPTIONS,
            "first program": FIRST_PROGRAM, "recipe": 1}


def ensure() -> Path:
    """The artefact's folder; the file system is its subfolder root/."""
    return artefact.make("root", ingredients(), _build)


def outdated() -> list[Path]:
    return artefact.others("root", artefact.path_of("root", ingredients()))


def _build(folder: Path) -> None:
    packages = [name for group in PACKAGES.values() for name in group.split()]
    bootstrap(folder, SUITE, packages, f"making the root file system (Debian {SUITE})")
    add_first_program(folder / "root", FIRST_PROGRAM)


def add_first_program(root: Path, text: str) -> None:
    """Makes the file system one that a guest can boot."""
    first = root / "sbin" / "lab-init"
    first.write_text(text)
    first.chmod(0o755)


def bootstrap(folder: Path, suite: str, packages: list[str], what: str) -> None:
    """Creates folder/root with these packages and their dependencies."""
    host.need_tools()
    ticker = Ticker(what)
    log = folder / "mmdebstrap.log"
    root = folder / "root"
    unprivileged = not host.is_root()
    target = folder / "root.tar" if unprivileged else root
    command = ["mmdebstrap", "--variant=apt", f"--include={','.join(packages)}",
               f"--format={'tar' if unprivileged else 'directory'}",
               *(f'--aptopt={name} "{value}"' for name, value in APT_OPTIONS.items()),
               *(f"--dpkgopt=path-exclude={path}" for path in EXCLUDED)]
    if unprivileged:
        command.append("--mode=unshare")
    command += [suite, str(target), f"deb {host.mirror()} {suite} main"]
    if not unprivileged:
        command = host.alone(command)
    host.run_logged(command, log, ticker, follow=_milestone)
    if unprivileged:
        _unpack(target, root)
    (root / "lab").mkdir(exist_ok=True)
    ticker.done()


def _milestone(line: str) -> str | None:
    """The text of a line by which mmdebstrap informs of its progress."""
    return line.removeprefix("I: ").strip().rstrip(".") if line.startswith("I: ") else None


def _unpack(archive: Path, root: Path) -> None:
    """Unpacks the root as an ordinary user, who then owns every file of it, also in the guest."""
    say("unpacking the root file system")
    root.mkdir()
    done = subprocess.run(["tar", "--extract", "--file", archive, "--directory", root,
                           "--no-same-owner", "--exclude=./dev/*"], check=False)
    if done.returncode != 0:
        raise LabError(f"could not unpack {archive}")
    archive.unlink()
