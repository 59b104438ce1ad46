# SPDX-License-Identifier: MIT
"""The kernel module broken on purpose: the tests named notice each change.

On the oldest kernel, where attaching fences is the module's own work.
"""

import shutil
import tomllib
from pathlib import Path

from .. import build, kmod, tap
from ..paths import SOURCE
from ..say import Ticker
from .kmod import Plan, add_sources, fresh, in_guest, text_of
from .outcome import Outcome

_KERNEL = "debian-5.10"
_LIST = SOURCE / "tests" / "kmod" / "mutations.toml"


def run(out: Path) -> Outcome:
    built = build.ensure(tests=True)
    mutations = tomllib.loads(_LIST.read_text())["mutation"]
    modules = fresh(out / "modules")
    add_sources(_KERNEL, modules)
    steps = []
    for number, mutation in enumerate(mutations):
        edit = kmod.Edit(mutation["search"], mutation["replace"], mutation["file"])
        folder = modules / str(number)
        folder.mkdir()
        shutil.copy(kmod.ensure(_KERNEL, edits=[edit]) / "fencebridge.ko", folder)
        (folder / "noticed_by").write_text(" ".join(mutation["noticed_by"]))
        steps.append(f"mutation_{number}")
    ticker = Ticker(f"testing {len(steps)} broken modules on {_KERNEL}")
    in_guest(_KERNEL, steps, Plan(tuple(steps)), modules, built, out, module=False)
    ticker.done()
    outcome = Outcome()
    for step, mutation in zip(steps, mutations):
        _check_noticed(outcome, out, step, mutation)
    return outcome


def _check_noticed(outcome: Outcome, out: Path, step: str, mutation: dict) -> None:
    what = f"broken: {mutation['what']}"
    try:
        verdicts = {result.name: result.verdict for result in tap.read(text_of(out, step))}
    except tap.NoPlan as error:
        outcome.check(what, False, str(error))
        return
    for name in mutation["noticed_by"]:
        outcome.check(f"{what}: noticed by {name}", verdicts.get(name) == tap.FAILED,
                      verdicts.get(name, "it did not run"))
