# SPDX-License-Identifier: MIT
"""Mutations of the kernel module: every test that is named notices its mutation.

They run on the oldest kernel, on which the module attaches fences by its own code.
"""

import shutil
from pathlib import Path

from .. import build, kmod, tap
from ..mutation import listing
from ..mutation.listing import ModuleMutation
from ..say import Ticker
from .kmod import Plan, add_sources, fresh, in_guest, text_of
from .outcome import Outcome

_KERNEL = "debian-5.10"


def run(out: Path, only: str = "") -> Outcome:
    """Applies all mutations, or those that have a text in their name."""
    built = build.ensure(tests=True)
    mutations = listing.with_text(listing.module(), only)
    sources = listing.module_sources()
    modules = fresh(out / "modules")
    add_sources(_KERNEL, modules)
    steps = []
    for number, mutation in enumerate(mutations):
        changed = listing.apply(mutation, sources)
        folder = modules / str(number)
        folder.mkdir()
        broken = kmod.ensure(_KERNEL, changed={changed.path.name: changed.text})
        shutil.copy(broken / "fencebridge.ko", folder)
        (folder / "noticed_by").write_text(" ".join(mutation.noticed_by))
        steps.append(f"mutation_{number}")
    ticker = Ticker(f"testing {len(steps)} broken modules on {_KERNEL}")
    in_guest(_KERNEL, steps, Plan(tuple(steps)), modules, built, out, module=False)
    ticker.done()
    outcome = Outcome()
    for step, mutation in zip(steps, mutations):
        _check_noticed(outcome, out, step, mutation)
    return outcome


def _check_noticed(outcome: Outcome, out: Path, step: str, mutation: ModuleMutation) -> None:
    what = f"broken: {mutation.name}"
    try:
        verdicts = {result.name: result.verdict for result in tap.read(text_of(out, step))}
    except tap.NoPlan as error:
        outcome.check(what, False, str(error))
        return
    for name in mutation.noticed_by:
        outcome.check(f"{what}: noticed by {name}", verdicts.get(name) == tap.FAILED,
                      verdicts.get(name, "it did not run"))
