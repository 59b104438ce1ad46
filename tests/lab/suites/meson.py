# SPDX-License-Identifier: MIT
"""Suites of Meson tests, run in the root on this machine's kernel, or in a guest."""

import json
import re
import subprocess
from pathlib import Path

from .. import build, guest, rootfs, sandbox
from ..paths import BUILD_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_TIMEOUT_SECONDS = 600
_FAILURE_LINES = 12

# A report of a sanitizer ends the process, so that the test fails.
_SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:fast_unwind_on_malloc=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def natively(suites: list[str], out: Path, variant: build.Variant = build.PLAIN) -> Outcome:
    folder = build.ensure(variant, tests=True)
    root = rootfs.ensure()
    with sandbox.in_use(root):
        box = build.box_of(variant, root)
        box.environment |= _SANITIZERS | {"XDG_RUNTIME_DIR": "/tmp"}
        with _log(suites, out).open("wb") as log:
            box.run(_command(suites), stdout=log, stderr=subprocess.STDOUT,
                    timeout=_TIMEOUT_SECONDS)
    return _outcome(folder, suites, out)


def in_guest(suites: list[str], out: Path, variant: build.Variant = build.PLAIN,
             timeout: float = _TIMEOUT_SECONDS) -> Outcome:
    """Runs the suites in a guest with fencebridge.ko loaded."""
    folder = build.ensure(variant, tests=True)
    # The tests enable the layer themselves, and have a compositor of their own.
    request = guest.Request(argv=_command(suites), compositor="none", layer=False, module=True,
                            env=_SANITIZERS, out=out, build=folder, timeout=timeout)
    with _log(suites, out).open("wb") as log:
        guest.run(request, log.write, log.write)
    return _outcome(folder, suites, out)


def _command(suites: list[str]) -> list[str]:
    return ["meson", "test", "-C", str(BUILD_IN_ROOT), "--no-rebuild", "--print-errorlogs",
            "--logbase", _log_name(suites),
            *(part for suite in suites for part in ("--suite", suite))]


def _log_name(suites: list[str]) -> str:
    return f"lab-{'-'.join(suites)}"


def _log(suites: list[str], out: Path) -> Path:
    return out / f"{_log_name(suites)}.log"


def _outcome(folder: Path, suites: list[str], out: Path) -> Outcome:
    path = folder / "meson-logs" / f"{_log_name(suites)}.json"
    if not path.exists():
        raise LabError(f"meson ran no test of {', '.join(suites)}; see {_log(suites, out)}")
    outcome = Outcome()
    for line in path.read_text(errors="replace").splitlines():
        test = json.loads(line)
        name = test["name"].split(" / ")[-1]
        if test["result"] in ("SKIP", "IGNORED"):
            outcome.skipped += 1
            outcome.skips.append(f"{name}: the test skips itself")
        else:
            outcome.check(name, test["result"] in ("OK", "EXPECTEDFAIL"),
                          failure(test["result"], test.get("stdout", "")))
    path.unlink()
    return outcome


def failure(result: str, output: str) -> str:
    """The result, and the first failures that GoogleTest or a sanitizer reported in the output."""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if re.search(r": Failure$|\[  FAILED  \]|ERROR: \w+Sanitizer|runtime error:"
                     r"|WARNING: ThreadSanitizer", line):
            return "\n".join([result.lower(), *lines[number:number + _FAILURE_LINES]])
    return result.lower()
