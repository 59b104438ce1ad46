# SPDX-License-Identifier: MIT
"""The results of a suite, or of several."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)  # one text for each failure
    skips: list[str] = field(default_factory=list)     # the reasons of what was skipped

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        self.skips += other.skips

    def check(self, what: str, holds: bool, otherwise: str = "") -> None:
        """Counts one check. `otherwise` tells what was found if the check does not hold."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            self.problems.append(f"{what}{': ' + otherwise if otherwise else ''}")

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_problems(problems: list[str]) -> Outcome:
    """For a suite that is a single check, which may find several problems."""
    return Outcome(passed=0 if problems else 1, failed=len(problems), problems=problems)
