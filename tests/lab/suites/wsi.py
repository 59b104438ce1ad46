# SPDX-License-Identifier: MIT
"""What the Vulkan specification demands of window system integration (tests/wsi/musts.toml).

The tests of tests/wsi/ run on the fake compositor: on this machine's kernel, and in a guest with
each transport. Those that do not control the compositor also run on every real one that imports
dma-bufs, with the fake driver and with lavapipe. There screen_client (tests/screen/) compares what
the layer reports of each frame with what the compositor reports. One guest for each compositor runs
all.
"""

import re
import shlex
import tomllib
from pathlib import Path

from .. import build, compositors, guest
from ..paths import BUILD_IN_ROOT, OUT_IN_ROOT, SOURCE
from ..say import LabError
from . import meson, screen
from .outcome import Outcome

MUSTS = SOURCE / "tests" / "wsi" / "musts.toml"

_TIMEOUT_SECONDS = 300
_DRIVERS = {
    "fake": {"FAKE_DRIVER_MEMORY": "udmabuf"},
    "lavapipe": {"VK_DRIVER_FILES": "/usr/share/vulkan/icd.d/lvp_icd.json"},
}
_PASSED = re.compile(r"^\[       OK \] (\S+)", re.MULTILINE)


def run(out: Path) -> Outcome:
    outcome = meson.natively(["wsi"], out)
    outcome.add(meson.in_guest(["wsi_fences"], out))
    built = build.ensure(tests=True)
    for name, compositor in compositors.COMPOSITORS.items():
        if compositor.dmabufs:
            outcome.add(on_compositor(name, built, out / name))
    return outcome


def tests_for_real_compositors() -> dict[str, list[str]]:
    """The tests that run on real compositors, by the program that has them."""
    programs: dict[str, list[str]] = {}
    for must in tomllib.loads(MUSTS.read_text())["must"]:
        for test in must["tests"] if must.get("real") else []:
            file, name = test.split(" ")
            folder, program = file.split("/")
            if folder == "wsi" and name not in programs.setdefault(program, []):
                programs[program].append(name)
    return programs


def on_compositor(compositor: str, built: Path, out: Path) -> Outcome:
    out.mkdir(parents=True, exist_ok=True)
    outcome = Outcome()
    request = guest.Request(["sh", "-c", _script()], compositor=compositor, out=out, build=built,
                            env={"FENCEBRIDGE_REAL_COMPOSITOR": "1"}, timeout=_TIMEOUT_SECONDS)
    try:
        with (out / "script.log").open("wb") as log:
            guest.run(request, log.write, log.write)
    except LabError as error:
        outcome.check(compositor, False, str(error))
        return outcome
    for driver in _DRIVERS:
        for program, tests in tests_for_real_compositors().items():
            text = _log(out, f"{driver}-{program}")
            passed = _PASSED.findall(text)
            for test in tests:
                outcome.check(f"{compositor}, {driver}: {test}", test in passed,
                              meson.failure("failed" if f" {test}" in text else "did not run",
                                            text))
    for scenario, problem in screen.checks(_log(out, "screen_client")):
        outcome.check(f"{compositor}: {scenario}", not problem, problem)
    return outcome


def _log(out: Path, name: str) -> str:
    path = out / f"{name}.log"
    return path.read_text(errors="replace") if path.exists() else ""


def _script() -> str:
    tests = BUILD_IN_ROOT / "tests"
    commands = []
    for driver, variables in _DRIVERS.items():
        for program, names in tests_for_real_compositors().items():
            commands.append((f"{driver}-{program}",
                             ["env", *(f"{name}={value}" for name, value in variables.items()),
                              f"{tests}/wsi/{program}_test", f"--gtest_filter={':'.join(names)}"]))
    commands.append(("screen_client", ["timeout", "150", f"{tests}/screen/screen_client"]))
    return "; ".join(f"{shlex.join(command)} >{OUT_IN_ROOT}/{log}.log 2>&1"
                     for log, command in commands)
