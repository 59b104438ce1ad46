# SPDX-License-Identifier: MIT
"""The layer on a GPU whose fences are pending while it works: what is seen on the output, what the
calls wait for, and when acquired fences signal."""

from pathlib import Path

from .. import build, real_fences
from ..say import LabError
from .outcome import Outcome


def run(out: Path) -> Outcome:
    built = build.ensure(parts=("bench",))
    outcome = Outcome()
    for place in real_fences.PLACES:
        checks = {transport: real_fences.checks_of(place, transport)
                  for transport in place.transports}
        try:
            results = real_fences.measure(place, checks, built,
                                          out / f"{place.compositor}-{place.kernel}")
        except LabError as error:
            outcome.check(place.name, False, str(error))
            continue
        for failure in results.failures():
            outcome.check(f"{place.name}: {failure}", False)
        for transport, some in checks.items():
            for what, problem in real_fences.evaluate(results, transport, some):
                outcome.check(f"{place.name}, {transport}: {what}", not problem, problem)
    return outcome
