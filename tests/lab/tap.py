# SPDX-License-Identifier: MIT
"""Reading the results of tests: the Test Anything Protocol, and the output of IGT."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(not )?ok \d+ - (\S+)(?: # SKIP (.*))?$")
_PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
_SUBTEST = re.compile(r"^(?:\x1b\[\d*m)*Subtest (\S+): (\w+)", re.MULTILINE)

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Result:
    name: str
    verdict: str
    why: str = ""  # the reason of a failure or a skip


class NoPlan(Exception):
    """The output has no plan, or not as many results as its plan says."""


def read(text: str) -> list[Result]:
    """The results in the output of a test. Raises NoPlan."""
    plan = _PLAN.search(text)
    results, notes = [], []
    for line in text.splitlines():
        if line.startswith("# "):
            notes.append(line[2:])
        if match := _LINE.match(line):
            if match[1]:
                results.append(Result(match[2], FAILED, "; ".join(notes)))
            elif match[3] is not None:
                results.append(Result(match[2], SKIPPED, match[3]))
            else:
                results.append(Result(match[2], PASSED))
            notes = []
    if not plan or int(plan[1]) != len(results):
        raise NoPlan(f"{len(results)} results, but "
                     + (f"the plan has {plan[1]}" if plan else "there is no plan"))
    return results


def read_igt(text: str) -> dict[str, str]:
    """The result of each subtest, in IGT's words."""
    return dict(_SUBTEST.findall(text))
