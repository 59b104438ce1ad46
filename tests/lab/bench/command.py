# SPDX-License-Identifier: MIT
"""`lab bench`: runs the measurements, prints their tables and writes them as JSON."""

import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

from .. import build, packages
from ..say import say
from . import frames, guests, instructions, latency, memory, syscalls
from .columns import COLUMNS
from .options import Options
from .runs import Results, Run
from .table import Section

ON_COMPOSITORS = {"syscalls": syscalls, "fps": frames, "memory": memory}
ON_FAKES = {"instructions": instructions, "latency": latency}
MEASUREMENTS = (*ON_COMPOSITORS, *ON_FAKES)

_FOOTER = """\
Everything ran in User Mode Linux on one processor, where a system call takes 5 to 20 microseconds:
compare columns of one table, and counts. Columns ran by turns within one boot for each compositor.
Values are medians over the rounds, with the range in parentheses where it is wider than the digits.
"-" is a transport that could not run there: see the end of the section."""


def run(options: Options, only: list[str], out: Path) -> int:
    """0 when every program that was to run ended well."""
    out.mkdir(parents=True, exist_ok=True)
    built = build.ensure(parts=("bench", "fake_driver"))
    start = time.monotonic()
    sections, failures = [], []
    chosen = {name: part for name, part in ON_COMPOSITORS.items() if name in only}
    for compositor in options.compositors if chosen else ():
        results = guests.execute(_rounds(chosen, options), compositor, built, out / compositor, [])
        for part in chosen.values():
            sections.append(_finished(part.evaluate(results, options, compositor), results))
        failures += [f"{compositor}: {failure}" for failure in results.failures()]
    for name in (name for name in ON_FAKES if name in only):
        results = _on_fakes(ON_FAKES[name], options, built, out / name)
        sections.append(_finished(ON_FAKES[name].evaluate(results, options), results))
        failures += results.failures()
    _report(sections, failures, options, out, time.monotonic() - start)
    return 1 if failures else 0


def _rounds(parts: dict, options: Options) -> list[Run]:
    return [run for number in range(1, options.rounds + 1) for part in parts.values()
            for run in part.plan(options, number)]


def _on_fakes(part, options: Options, built: Path, out: Path) -> Results:
    needs = [instructions.PACKAGE] if part is instructions else []
    with packages.layers(needs) as layers:
        return guests.execute(_rounds({"": part}, options), "none", built, out, layers)


def _finished(section: Section, results: Results) -> Section:
    """With what the layer's log said about each column."""
    verdicts = {column: results.verdict(column) for column in COLUMNS}
    section.notes += [f"{column}: {text}" for column, text in verdicts.items() if text]
    section.data = {"verdicts": verdicts, **section.data}
    print(f"{section}\n", flush=True)
    return section


def _report(sections: list[Section], failures: list[str], options: Options, out: Path,
            seconds: float) -> None:
    (out / "bench.json").write_text(json.dumps({
        "options": asdict(options), "seconds": round(seconds), "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)), "load": os.getloadavg(),
        "failures": failures, "sections": {section.title: section.data for section in sections},
    }, indent=1) + "\n")
    text = "\n\n".join([*map(str, sections), _FOOTER])
    (out / "bench.txt").write_text(text + "\n")
    print(_FOOTER)
    for failure in failures:
        say(f"FAILED {failure}")
    say(f"done in {seconds / 60:.0f} min; tables and numbers are in {out}")
