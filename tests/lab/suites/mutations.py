# SPDX-License-Identifier: MIT
"""The layer broken on purpose: a test notices each change."""

from pathlib import Path

from .. import mutations
from ..say import say
from .outcome import Outcome


def run(out: Path) -> Outcome:
    outcome = Outcome()
    for mutation, problem in mutations.try_all(mutations.listed(), out / "mutation.log"):
        say(f"{'FAILED ' if problem else 'noticed'}  {mutation['name']}")
        outcome.check(mutation["name"], not problem, problem)
    return outcome
