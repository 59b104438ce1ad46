# SPDX-License-Identifier: MIT
"""Installing the module as kmod/README.md describes it: `meson install`, then DKMS."""

from pathlib import Path

from .. import build, guest, kernel, packages
from ..paths import SOURCE_IN_ROOT
from . import install
from .outcome import Outcome

_STEPS = {
    "rules": "udev understands the rules",
    "absent": "without the module, the rules do nothing, and udev reports nothing",
    "add": "dkms add takes the installed source",
    "excluded": "dkms build refuses to build it for the running kernel, which does not need it",
    "build": "dkms build builds it for the running kernel, if /etc/dkms/fencebridge.conf says so",
    "install": "dkms install puts it where modprobe finds it",
    "status": "dkms status lists it",
    "modprobe": "modprobe loads it",
    "works": "the device works",
    "rmmod": "rmmod unloads it",
    "udev": "udev loads it for a DRM device, and sets the access rights of its device",
    "remove": "dkms remove takes it away",
    "gone": "nothing is left of it",
}


def run(out: Path) -> Outcome:
    built = build.ensure(tests=True)
    install.install_into(out / "dest")
    for step in _STEPS:
        for old in out.glob(f"{step}.*"):
            old.unlink()
    with packages.layers(["dkms", "udev"]) as layers:
        request = guest.Request(
            argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/dkms.sh")], compositor="none",
            layer=False, layers=layers, out=out, build=built, timeout=300,
            # DKMS does not know the architecture of User Mode Linux. make reads it from here.
            env={"ARCH": "um"}, mounts=[(kernel.ensure() / "tree", "/lab/headers")])
        with (out / "script.log").open("wb") as log:
            guest.run(request, log.write, log.write)
    outcome = Outcome()
    for step, what in _STEPS.items():
        path = out / f"{step}.status"
        status = path.read_text().strip() if path.exists() else "none"
        outcome.check(what, status == "0", f"status {status}: "
                      f"{(out / f'{step}.log').read_text(errors='replace')[-600:]}"
                      if path.exists() else "it did not run")
    return outcome
