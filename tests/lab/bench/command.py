# SPDX-License-Identifier: MIT
"""`lab bench`: runs the measurements, prints their tables and writes them as JSON."""

import contextlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from .. import build, compositors, guest, kernels, packages
from ..say import LabError, Ticker, say
from . import calls, frames, guests, instructions, latency, memory, plots, syscalls
from .columns import COLUMNS
from .options import Options
from .runs import Results, Run
from .table import Section

ON_COMPOSITORS = {"syscalls": syscalls, "calls": calls, "fps": frames, "memory": memory}
ON_FAKES = {"instructions": instructions, "latency": latency}
MEASUREMENTS = (*ON_COMPOSITORS, *ON_FAKES)

_FOOTER = """\
Everything ran on Linux {release},
{pace}.
Compare times and rates only within one table, and counts also with those of other machines.
The columns ran alternately, within one boot for each compositor. Values are medians over the
rounds. Exceptions: system calls by place are means, and percentiles are of the samples of all
rounds. A range in parentheses is left out if both of its ends are printed alike. "-" means no
result. If a transport could not be used, the end of the section says why.
The load of this machine was {load} on {processors} processors: {verdict}."""


def measurements(kernel: str) -> tuple[str, ...]:
    """The measurements that a kernel allows. Those on the fake driver need sw_sync, which no stock
    kernel has."""
    kernels.find(kernel)
    return tuple(ON_COMPOSITORS) if kernel in kernels.STOCK else MEASUREMENTS


def run(options: Options, only: list[str] | None, out: Path) -> int:
    """The exit status: 0 if no program failed."""
    possible = measurements(options.kernel)
    only = only or list(possible)
    if unable := [name for name in only if name not in possible]:
        raise LabError(f"{', '.join(unable)} cannot be measured on {options.kernel}")
    for compositor in options.compositors:
        guest.check(options.kernel, compositor, options.gpu)
    out.mkdir(parents=True, exist_ok=True)
    built = build.ensure(parts=("bench", "fake_driver"))
    start = time.monotonic()
    sections, failures = [], []
    chosen = {name: part for name, part in ON_COMPOSITORS.items() if name in only}
    for compositor in options.compositors if chosen else ():
        with _going_on(compositor, failures):
            results = guests.execute(_rounds(chosen, options), compositor, built, out / compositor,
                                     kernel=options.kernel, with_gpu=options.gpu)
            failures += [f"{compositor}: {failure}" for failure in results.failures()]
            for part_name, part in chosen.items():
                section = _finished(part.evaluate(results, options, compositor), results)
                section.measurement, section.compositor = part_name, compositor
                sections.append(section)
    for name, part in ON_FAKES.items():
        if name not in only:
            continue
        needs = [instructions.PACKAGE] if part is instructions else []
        with _going_on(name, failures), packages.layers(needs) as layers:
            results = guests.execute(_rounds({name: part}, options), compositors.NONE, built,
                                     out / name, layers, options.kernel)
            failures += results.failures()
            section = _finished(part.evaluate(results, options), results)
            section.measurement = name
            sections.append(section)
    _report(sections, failures, options, out, time.monotonic() - start)
    return 1 if failures else 0


@contextlib.contextmanager
def _going_on(where: str, failures: list[str]):
    """Context: an error of a measurement is noted, and does not end the others."""
    try:
        yield
    except LabError as error:
        failures.append(f"{where}: {error}")


def _rounds(parts: dict, options: Options) -> list[Run]:
    return [run for number in range(1, options.rounds + 1) for part in parts.values()
            for run in part.plan(options, number)]


def _finished(section: Section, results: Results) -> Section:
    """Adds notes on the columns that ran on another transport, and prints the section."""
    verdicts = {column: results.verdict(column) for column in COLUMNS}
    section.notes += [f"{column}: {text}" for column, text in verdicts.items() if text]
    section.data = {"verdicts": verdicts, **section.data}
    print(f"{section}\n", flush=True)
    return section


def _plot(out: Path, kernel: str, failures: list[str]) -> None:
    """Draws bench.json, in a guest that has the library for it."""
    ticker = Ticker("drawing the plots")
    with _going_on("plots", failures), packages.layers([plots.PACKAGE]) as layers:
        plots.draw(out, layers, kernel)
    ticker.done()


def _report(sections: list[Section], failures: list[str], options: Options, out: Path,
            seconds: float) -> None:
    processors, loads = len(os.sched_getaffinity(0)), os.getloadavg()
    kernel = kernels.find(options.kernel)
    others = max(loads[:2]) - kernel.processors
    quiet = others < processors - 1
    footer = _FOOTER.format(
        release=kernel.release(kernel.ensure()), pace=kernel.pace, load=f"{loads[1]:.1f}",
        processors=processors, verdict="quiet enough" if quiet else
        "too much for times and rates; only the counts are valid")
    (out / "bench.json").write_text(json.dumps({
        "options": asdict(options), "seconds": round(seconds), "processors": processors,
        "load": loads, "failures": failures,
        "sections": [{"title": section.title, "measurement": section.measurement,
                      "compositor": section.compositor, "data": section.data}
                     for section in sections]}, indent=1) + "\n")
    (out / "bench.txt").write_text("\n\n".join([*map(str, sections), footer]) + "\n")
    if any(section.measurement in plots.MEASUREMENTS for section in sections):
        _plot(out, options.kernel, failures)
    print(footer)
    for failure in failures:
        say(f"FAILED {failure}")
    say(f"done in {seconds / 60:.0f} min; tables and numbers are in {out}")
