# SPDX-License-Identifier: MIT
"""The layer on a GPU whose fences are pending while it works: what is seen on the output, what the
calls wait for, and when acquired fences signal."""

from pathlib import Path

from .. import build, real_fences
from ..say import LabError
from .outcome import Outcome


# Of the short form: on sway, and without limits for times, which a busy machine may not keep.
_SHORT = {"explicit": (real_fences.SEEN, real_fences.FINISHED),
          "kernel": (real_fences.SEEN, real_fences.FINISHED, real_fences.WHOLE)}


def run(out: Path, whole: bool) -> Outcome:
    built = build.ensure(parts=("bench",))
    outcome = Outcome()
    plan = [(place, {transport: real_fences.checks_of(place, transport)
                     for transport in place.transports})
            for place in real_fences.PLACES]
    if not whole:
        plan = [(real_fences.place_of("sway", "explicit"), _SHORT)]
    for place, checks in plan:
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
