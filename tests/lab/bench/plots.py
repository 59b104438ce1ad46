# SPDX-License-Identifier: MIT
"""Plots of the measurements, by Matplotlib in a guest: tests/lab/guest/plots.py draws them."""

from pathlib import Path

from .. import compositors, guest
from ..paths import SOURCE_IN_ROOT
from ..say import LabError

PACKAGE = "python3-matplotlib"
MEASUREMENTS = ("syscalls", "calls", "fps")  # those that have plots
_TIMEOUT_SECONDS = 120


def draw(out: Path, layers: list[Path], kernel: str) -> None:
    """Writes an SVG file for each question that bench.json in that folder can answer."""
    problems = bytearray()
    request = guest.Request(
        argv=["python3", "-I", str(SOURCE_IN_ROOT / "tests/lab/guest/plots.py")],
        kernel=kernel, compositor=compositors.NONE, layer=False, layers=layers, out=out,
        logs=out / "plots-logs", timeout=_TIMEOUT_SECONDS)
    status = guest.run(request, problems.extend, problems.extend)
    if status != 0:
        raise LabError(f"drawing failed with status {status}:\n"
                       f"{problems.decode(errors='replace')}")
