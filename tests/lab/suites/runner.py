# SPDX-License-Identifier: MIT
"""Runs suites, and prints the results of each and of all."""

import contextlib
import sys
import time
import traceback
from pathlib import Path

from .. import host
from ..say import LabError, Interrupted, in_one_line
from . import complaints
from .outcome import Outcome
from .table import GUEST, SUITES, Suite


def list_suites() -> int:
    width = max(map(len, SUITES))
    print(f"{'suite':<{width}}  {'where':<6} {'short':>6} {'whole':>6}  shows")
    for suite in SUITES.values():
        print(f"{suite.name:<{width}}  {suite.where:<6} {_duration(suite.short_seconds):>6} "
              f"{_duration(suite.whole_seconds):>6}  {suite.shows}")
    short, whole = (sum(getattr(suite, f"{form}_seconds") for suite in SUITES.values()) / 60
                    for form in ("short", "whole"))
    print(f"\nThe short forms are `lab test`, about {short:.0f} min; the whole ones are `lab test "
          f"--all`, about {whole:.0f} min,\non two processors, once everything is built.")
    return 0


def _duration(seconds: int) -> str:
    return f"{seconds} s" if seconds else "-"


def chosen(names: list[str], whole: bool) -> list[Suite]:
    """The named suites in that order; without names, all, or all with a short form."""
    if unknown := [name for name in names if name not in SUITES]:
        raise LabError(f"no suite {', '.join(unknown)}; there are: {', '.join(SUITES)}")
    if names:
        return [SUITES[name] for name in names]
    return [suite for suite in SUITES.values() if whole or suite.short_seconds]


def check_only(suites: list[Suite], only: str) -> None:
    """Raises LabError when some of the suites can only run as a whole."""
    if only and (others := [suite.name for suite in suites if suite.run_some is None]):
        able = ", ".join(suite.name for suite in SUITES.values() if suite.run_some)
        raise LabError(f"--only is for the suites {able}, not for {', '.join(others)}")


def run(names: list[str], whole: bool, out: Path, only: str = "") -> int:
    """The exit status: 0 if nothing failed."""
    total = Outcome()
    lines = []
    suites = chosen(names, whole)
    check_only(suites, only)
    for suite in suites:
        print(f"== {suite.name}: {suite.shows}", flush=True)
        start = time.monotonic()
        outcome = _outcome(suite, whole, out / suite.name, only)
        total.add(outcome)
        lines.append(_line(suite, outcome, time.monotonic() - start))
        print(lines[-1], flush=True)
    print("\nsummary, with everything logged in", out)
    print("\n".join(lines))
    print(total)
    return 1 if total.failed else 0


def _outcome(suite: Suite, whole: bool, out: Path, only: str) -> Outcome:
    out.mkdir(parents=True, exist_ok=True)
    for log in _kernel_logs(out):
        log.unlink()  # left by an earlier run
    try:
        outcome = suite.run_some(out, only) if only else suite.run(out, whole)
        if suite.where == GUEST and not suite.own_complaints:
            _check_kernels(outcome, out)
    except (Interrupted, KeyboardInterrupt):
        raise
    except LabError as error:
        outcome = Outcome(failed=1, problems=[str(error)])
    except OSError as error:
        with contextlib.suppress(OSError):
            (out / "traceback.log").write_text(traceback.format_exc())
        outcome = Outcome(failed=1, problems=[in_one_line(error)])
    except Exception:  # the other suites still run
        outcome = Outcome(failed=1, problems=[traceback.format_exc()])
    for problem in outcome.problems:
        print(f"   FAILED {problem}")
    if outcome.problems:
        for log in sorted(out.rglob("*.log"), key=lambda path: path.stat().st_mtime)[-3:]:
            if log.stat().st_size:
                print(f"   the end of {log}:\n{host.tail(log, 15)}")
    for reason in outcome.skips:
        print(f"   skipped: {reason}")
    sys.stdout.flush()
    return outcome


def _kernel_logs(out: Path) -> list[Path]:
    return sorted(out.rglob("logs/kernel.log"))


def _check_kernels(outcome: Outcome, out: Path) -> None:
    """Checks the logs of all guests of the suite for complaints of the kernel."""
    if not (logs := _kernel_logs(out)):
        outcome.check("no guest has left its kernel's log", False)
    for log in logs:
        complaint = complaints.find(log.read_text(errors="replace"))
        outcome.check(f"{log.relative_to(out)}: the kernel complains of nothing", not complaint,
                      complaint)


def _line(suite: Suite, outcome: Outcome, seconds: float) -> str:
    verdict = "FAILED" if outcome.failed else "ok" if outcome.passed else "skipped"
    return f"{verdict:<8}{suite.name:<15}{seconds:6.1f} s  {outcome}"
