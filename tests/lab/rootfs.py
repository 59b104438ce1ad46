# SPDX-License-Identifier: MIT
"""The root file system: one Debian root that is both the guest and the newest build environment."""

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

# What the tests of the lab never read; about a third of the root's files.
EXCLUDED = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"]

# The first program in the guest. It knows nothing but where the host's boot folder is (the kernel
# hands lab_boot=DIR on in the environment), so that the guest can change without a new root.
FIRST_PROGRAM = """#!/bin/sh
mount -t hostfs -o "hostfs=$lab_boot" none /lab && exec /bin/sh /lab/init.sh
"""

APT_OPTIONS = {
    # Testing suites outlive the date in their release file between two snapshots of a mirror.
    "Acquire::Check-Valid-Until": "false",
    "Acquire::Retries": "5",
    "APT::Install-Recommends": "false",
    # The cache lies under a home folder, which apt's own user cannot enter.
    "APT::Sandbox::User": "root",
}


def ingredients() -> dict:
    return {"suite": SUITE, "packages": PACKAGES, "excluded": EXCLUDED, "apt": APT_OPTIONS,
            "first program": FIRST_PROGRAM, "recipe": 1}


def ensure() -> Path:
    """The root's artefact folder; the file system itself is its subfolder root/."""
    return artefact.make("root", ingredients(), _build)


def outdated() -> list[Path]:
    return artefact.others("root", artefact.path_of("root", ingredients()))


def _build(folder: Path) -> None:
    packages = [name for group in PACKAGES.values() for name in group.split()]
    bootstrap(folder, SUITE, packages, f"making the root file system (Debian {SUITE})")
    first = folder / "root" / "sbin" / "lab-init"
    first.write_text(FIRST_PROGRAM)
    first.chmod(0o755)


def bootstrap(folder: Path, suite: str, packages: list[str], what: str) -> None:
    """Makes folder/root of these packages and what they need."""
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
    else:
        # What it mounts in there goes with it, even when it is killed.
        command = ["unshare", "--mount", "--propagation", "private", *command]
    command += [suite, str(target), f"deb {host.mirror()} {suite} main"]
    host.run_logged(command, log, ticker, follow=_milestone)
    if unprivileged:
        _unpack(target, root)
    (root / "lab").mkdir(exist_ok=True)
    ticker.done()


def _milestone(line: str) -> str | None:
    """mmdebstrap's own informative lines, without their prefix."""
    return line.removeprefix("I: ").strip().rstrip(".") if line.startswith("I: ") else None


def _unpack(archive: Path, root: Path) -> None:
    """An ordinary user owns every file of the root; the guest's kernel shows them as they are."""
    say("unpacking the root file system")
    root.mkdir()
    done = subprocess.run(["tar", "--extract", "--file", archive, "--directory", root,
                           "--no-same-owner", "--exclude=./dev/*"], check=False)
    if done.returncode != 0:
        raise LabError(f"could not unpack {archive}")
    archive.unlink()
