# SPDX-License-Identifier: MIT
"""Switching the installed layer on and off by name and by variables, as README describes, and
uninstalling it."""

import subprocess
from pathlib import Path

from .. import artefact, build, guest, layerlog, rootfs, sandbox
from ..host import tail_of
from ..paths import BUILD_IN_ROOT, SOURCE_IN_ROOT
from ..say import LabError
from .outcome import Outcome

# A run of tests/lab/guest/install.sh by its name, and whether the layer has to be active in it.
_WAYS = {
    "absent": False,
    "devenv": True,
    "installed": False,
    "installed-by-name": True,
    "installed-enabled": True,
    "installed-disabled": False,
    "home": False,
    "home-by-name": True,
    "home-enabled": True,
    "home-disabled": False,
}


def run(out: Path) -> Outcome:
    built = build.ensure()
    install_into(out / "dest")
    request = guest.Request(argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/install.sh")],
                            compositor="weston", layer=False, out=out, build=built, timeout=180)
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)
    outcome = Outcome()
    for way, wanted in _WAYS.items():
        log = (out / f"{way}.log").read_text(errors="replace")
        status = (out / f"{way}.status").read_text().strip()
        active = bool(layerlog.opened(log))
        outcome.check(f"{way}: vkcube runs {'with' if wanted else 'without'} the layer",
                      status == "0" and active == wanted,
                      f"status {status}, {'with' if active else 'without'} the layer")
    _run_in_build(out / "dest", ["ninja", "-C", str(BUILD_IN_ROOT), "uninstall"])
    left = [str(path) for path in sorted((out / "dest").rglob("*"))]
    outcome.check("ninja uninstall leaves nothing", not left, "\n".join(left))
    return outcome


def install_into(folder: Path) -> None:
    """Runs `meson install` as a packager does, with DESTDIR."""
    artefact.remove_tree(folder)
    folder.mkdir(parents=True)
    _run_in_build(folder, ["meson", "install", "-C", str(BUILD_IN_ROOT), "--no-rebuild",
                           "--destdir", "/lab/dest"])


def _run_in_build(folder: Path, command: list[str]) -> None:
    """Runs the command in the root, with the build folder. The folder is /lab/dest there."""
    root = rootfs.ensure()
    with sandbox.in_use(root):
        box = build.box_of(build.PLAIN, root)
        box.writable["dest"] = folder
        done = box.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command[:2])} failed:\n{tail_of(done.stdout)}")
