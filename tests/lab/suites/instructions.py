# SPDX-License-Identifier: MIT
"""The number of the layer's instructions in a frame, counted by callgrind."""

from pathlib import Path

from .. import build, compositors, packages
from ..bench import guests
from ..bench import instructions as measurement
from ..bench.columns import TRANSPORTS
from ..bench.options import Options
from .outcome import Outcome


def run(out: Path) -> Outcome:
    outcome = Outcome()
    options = Options(quick=True)
    built = build.ensure(parts=("bench", "fake_driver"))
    with packages.layers([measurement.PACKAGE]) as layers:
        results = guests.execute(measurement.plan(options, 1), compositors.NONE, built, out,
                                 layers)
    for failure in results.failures():
        outcome.check(failure, False)
    for transport in TRANSPORTS:
        if verdict := results.verdict(transport):
            outcome.skipped += 1
            outcome.skips.append(f"{transport}: {verdict}")
            continue
        seen = [counts["layer"] for counts in
                measurement.per_frame(results, transport, options.profiled_frames)]
        # No instructions at all means that the layer did not run, or that the profile was misread.
        outcome.check(f"{transport}: at most {measurement.LIMIT} instructions a frame in the "
                      "layer's own code", len(seen) == 1 and 0 < seen[0] <= measurement.LIMIT,
                      f"{seen}")
    return outcome
