# SPDX-License-Identifier: MIT
"""Mutations of the layer: a test notices each."""

from pathlib import Path

from .. import mutations
from ..mutation import listing
from ..say import say
from .outcome import Outcome


def run(out: Path, only: str = "") -> Outcome:
    """Applies all mutations, or those that have a text in their name."""
    outcome = Outcome()
    chosen = listing.with_text(listing.layer(), only)
    for mutation, problem in mutations.try_all(chosen, out / "mutation.log"):
        say(f"{'FAILED ' if problem else 'noticed'}  {mutation.name}")
        outcome.check(mutation.name, not problem, problem)
    return outcome
