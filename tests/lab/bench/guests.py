# SPDX-License-Identifier: MIT
"""Running many programs in one guest, so that they are compared under equal conditions."""

import json
from pathlib import Path

from .. import artefact, compositors, gpu, guest, kernels
from ..paths import SOURCE_IN_ROOT
from ..say import LabError, say
from .runs import Result, Results, Run, plan_of

_PLAN = "plan.json"
_BOOT_SECONDS = 120


def execute(runs: list[Run], compositor: str, built: Path, out: Path,
            layers: list[Path] | None = None, kernel: str = kernels.DEFAULT,
            with_gpu: str = gpu.NONE, output: compositors.Size = compositors.OUTPUT) -> Results:
    """Runs the programs with the kernel module loaded. A program that did not run has no status."""
    if out.exists() and any(out.iterdir()) and not (out / _PLAN).exists():
        raise LabError(f"{out} is to be replaced, and is not the folder of an earlier run")
    artefact.remove_tree(out)
    out.mkdir(parents=True)
    (out / _PLAN).write_text(json.dumps(plan_of(runs), indent=1))
    request = guest.Request(
        argv=["python3", "-I", str(SOURCE_IN_ROOT / "tests/lab/guest/bench.py")],
        kernel=kernel, compositor=compositor, layer=False, module=True, layers=layers or [],
        out=out, build=built, gpu=with_gpu, output=output,
        timeout=_BOOT_SECONDS + sum(run.timeout for run in runs))
    problems = bytearray()
    status = guest.run(request, _Progress(compositor).write, problems.extend)
    if status != 0:
        raise LabError(f"the guest's script failed with status {status}:\n"
                       f"{problems.decode(errors='replace')}")
    return Results([Result(run, out / "runs" / run.name) for run in runs], request.problems)


class _Progress:
    """Shows progress. The guest's script prints a line for each run, which may arrive in pieces."""

    def __init__(self, where: str):
        self.where = where
        self.rest = b""

    def write(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            say(f"{self.where}: {line.decode(errors='replace')}")
