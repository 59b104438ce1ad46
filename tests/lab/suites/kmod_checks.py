# SPDX-License-Identifier: MIT
"""Compiler, sparse and checkpatch have no complaint about the module's source, on any kernel."""

from pathlib import Path

from .. import kernels, kmod
from .outcome import Outcome


def run(out: Path, whole: bool) -> Outcome:
    outcome = Outcome()
    complaints = {}
    for name in kernels.for_tests(whole):
        complaints[f"{name}: the compiler, with W=1"] = kmod.warnings(name)
        complaints[f"{name}: sparse, as with C=2"] = kmod.sparse(name)
    complaints["checkpatch --strict"] = kmod.checkpatch()
    for what, lines in complaints.items():
        outcome.check(f"{what} has nothing to say", not lines, "\n" + "\n".join(lines))
    (out / "complaints.log").write_text("\n".join(
        f"{what}: {len(lines)}\n{chr(10).join(lines)}" for what, lines in complaints.items()))
    return outcome
