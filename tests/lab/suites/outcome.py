# SPDX-License-Identifier: MIT
"""How a suite, or several, went."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)  # at least one where failed is not 0
    skips: list[str] = field(default_factory=list)     # why, for what was skipped

    def add(self, other: "Outcome") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def check(self, what: str, holds: bool, otherwise: str = "") -> None:
        """One check of a suite; otherwise says what was seen instead."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            self.problems.append(f"{what}{': ' + otherwise if otherwise else ''}")

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_problems(problems: list[str]) -> Outcome:
    """For a suite that is one test with much to say."""
    return Outcome(passed=0 if problems else 1, failed=len(problems), problems=problems)
