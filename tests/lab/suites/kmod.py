# SPDX-License-Identifier: MIT
"""The kernel module on every kernel of the lab.

One guest for each kernel runs the steps of tests/lab/guest/kmod.sh. This module checks their
results. Mutations of the module are another suite, kmod_mutations.py.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import build, guest, guest_modules, kernels, kmod, tap
from ..paths import SOURCE_IN_ROOT
from ..say import LabError
from . import complaints
from .outcome import Outcome

_IN_GUEST = "/lab/kmod"

# The subtests of the kernel community's test of the kernel's own ioctls.
_IGT = ["export-basic", "export-before-signal", "export-multiwait", "export-wait-after-attach",
        "import-basic", "import-multiple-read-only", "import-multiple-read-write"]

_GROUPS = "arguments. export. import. traps. cycles. limits. threads."
_WITH_FAULTS = f"{_GROUPS} faults."


@dataclass(frozen=True)
class Plan:
    """The steps on a kernel, and their arguments."""

    steps: tuple[str, ...]
    groups: str = _GROUPS
    options: str = ""  # for kmod-test
    calls: int = 50_000
    timeout: float = 900


_ALWAYS = ("module", "igt_forced", "without", "snapshot", "fuzz", "unload", "messages")
_NEWER = ("module", "kernel", "igt", "igt_forced", "igt_kernel", "without", "snapshot", "fuzz",
          "unload", "messages")
_NEWEST = ("same_answers", *_NEWER)  # with /dev/udmabuf
_PLANS = {
    # The step `igt`: the preload library detects that this kernel lacks the two dma-buf ioctls.
    "debian-5.10": Plan(("igt", *_ALWAYS)),
    "debian-6.1": Plan(_NEWER),
    "debian-6.12": Plan(_NEWEST),
    "debian-newest": Plan(_NEWEST),
    "uml": Plan(_NEWEST, calls=100_000),
    "uml-debug": Plan(("forget_leaks", "module", "kernel", "igt_forced", "without", "fuzz",
                       "fuzz_failing", "unload", "leaks", "messages"),
                      _WITH_FAULTS, "--kasan", 1_000_000, 2400),
}


def run(out: Path, whole: bool) -> Outcome:
    built = build.ensure(tests=True)
    outcome = Outcome()
    for name in kernels.for_tests(whole):
        try:
            _run_plan(outcome, name, _PLANS[name], built, out / name)
        except LabError as error:  # the other kernels are still tested
            outcome.check(name, False, str(error))
    return outcome


def _run_plan(outcome: Outcome, name: str, plan: Plan, built: Path, out: Path) -> None:
    modules = fresh(out / "modules")
    shutil.copy(kmod.ensure(name) / "fencebridge.ko", modules)
    add_sources(name, modules)
    in_guest(name, list(plan.steps), plan, modules, built, out, module=True)
    for step in plan.steps:
        _CHECKS.get(step.split("_")[0], _check_status)(outcome, f"{name}: {step}", out, step)


def add_sources(name: str, modules: Path) -> None:
    (modules / "sources").mkdir()
    for path in guest_modules.fences(name):
        shutil.copy(path, modules / "sources")


def in_guest(name: str, steps: list[str], plan: Plan, modules: Path, built: Path, out: Path,
             module: bool) -> None:
    request = guest.Request(
        argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/kmod.sh"), *steps],
        kernel=name, compositor="none", layer=False, module=module, out=out, build=built,
        mounts=[(modules.resolve(), _IN_GUEST)], timeout=plan.timeout,
        env={"KMOD_TESTS": f"{plan.options} {plan.groups}", "KMOD_KERNEL": plan.options,
             "KMOD_CALLS": str(plan.calls)})
    for step in steps:
        for old in out.glob(f"{step}.*"):
            old.unlink()
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def text_of(out: Path, step: str, kind: str = "log") -> str:
    path = out / f"{step}.{kind}"
    return path.read_text(errors="replace") if path.exists() else ""


def _check_status(outcome: Outcome, what: str, out: Path, step: str) -> None:
    status = text_of(out, step, "status").strip()
    outcome.check(what, status == "0", f"status {status or 'none, it did not run'}: "
                  f"{text_of(out, step)[-400:]}")


def _check_tap(outcome: Outcome, what: str, out: Path, step: str) -> None:
    try:
        results = tap.read(text_of(out, step))
    except tap.NoPlan as error:
        outcome.check(what, False, str(error))
        return
    for result in results:
        if result.verdict == tap.SKIPPED:
            outcome.skipped += 1
            outcome.skips.append(f"{what} {result.name}: {result.why}")
        else:
            outcome.check(f"{what} {result.name}", result.verdict == tap.PASSED, result.why)


def _check_igt(outcome: Outcome, what: str, out: Path, step: str) -> None:
    seen = tap.read_igt(text_of(out, step))
    for subtest in _IGT:
        outcome.check(f"{what} {subtest}", seen.get(subtest) == "SUCCESS",
                      seen.get(subtest, "it did not run"))


def _check_without(outcome: Outcome, what: str, out: Path, step: str) -> None:
    """Without the module, no subtest of IGT may pass: one that passes does not test the module."""
    seen = tap.read_igt(text_of(out, step))
    outcome.check(f"{what} the module no part of IGT's test passes",
                  set(seen) == set(_IGT) and "SUCCESS" not in seen.values(), f"{seen}")


def _check_leaks(outcome: Outcome, what: str, out: Path, step: str) -> None:
    text = text_of(out, step)
    outcome.check(what, text_of(out, step, "status").strip() == "0" and "unreferenced" not in text,
                  text[:2000])


def _check_messages(outcome: Outcome, what: str, out: Path, step: str) -> None:
    # Messages of the boot do not count. The kernel prints this one when it loads the module.
    complaint = complaints.find(text_of(out, step), "fencebridge: loading out-of-tree module")
    outcome.check(f"{what}: the kernel complains of nothing", not complaint, complaint)


_CHECKS = {"module": _check_tap, "kernel": _check_tap, "unload": _check_tap, "igt": _check_igt,
           "without": _check_without, "leaks": _check_leaks, "messages": _check_messages}
