# SPDX-License-Identifier: MIT
"""Time inside vkAcquireNextImageKHR and vkQueuePresentKHR on real compositors, fences that are
pending when they return, and the time from vkQueuePresentKHR to the screen."""

from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import COLUMNS, environment
from .numbers import microseconds, percentile, short
from .options import Options
from .runs import Results, Run
from .table import Section, Table

_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_windows")
_MODES = ("fifo", "mailbox")
_WORK = {"light": ["--clears", "1"], "heavy": ["--size", "400", "--clears", "40"]}
_CALLS = {"acquire": "vkAcquireNextImageKHR", "present": "vkQueuePresentKHR"}
_PERCENTILES = (50, 99)


def _prefix(work: str, mode: str) -> str:
    return f"times-{work}-{mode}"


def plan(options: Options, round_number: int) -> list[Run]:
    return [Run(runs.name(_prefix(work, mode), column, round_number), column,
                [_CLIENT, "--mode", mode, *arguments, "--seconds", str(2 * options.seconds),
                 "--times"], environment(column))
            for work, arguments in _WORK.items() for mode in _MODES for column in COLUMNS]


def evaluate(results: Results, _options: Options, compositor: str) -> Section:
    section = Section(f"time inside the calls, and to the screen, on {compositor}")
    section.tables = [_table(results, work, mode, section.data)
                      for work in _WORK for mode in _MODES]
    return section


def _table(results: Results, work: str, mode: str, data: dict) -> Table:
    said = {column: [result.said() for result in results.of(_prefix(work, mode), column)]
            for column in COLUMNS}
    found = {column: _numbers(all_rounds) if all_rounds else None
             for column, all_rounds in said.items()}
    data[_prefix(work, mode)] = found
    table = Table(f"{mode}, {work} rendering", [*COLUMNS])

    def add(label: str, key: str, form) -> None:
        table.add(label, *(form(found[column][key]) if found[column] else "-"
                           for column in COLUMNS))

    for call, name in _CALLS.items():
        for percent in _PERCENTILES:
            add(f"{name}, p{percent}, microseconds", f"{call}-p{percent}", microseconds)
    add("acquired with a pending fence, of 100", "acquire-pending", short)
    add("  which signalled later by, p50, ms", "pending-p50", _milliseconds)
    add("presented with pending rendering, of 100", "present-pending", short)
    for percent in _PERCENTILES:
        add(f"from present to the screen, p{percent}, ms", f"shown-p{percent}", _milliseconds)
    add("replaced before they were shown, of 100", "discarded", short)
    return table


def _numbers(rounds: list[dict]) -> dict[str, float | None]:
    """Of all rounds together; times are in nanoseconds."""
    def of(key: str) -> list[int]:
        return [value for said in rounds for value in said[key]]

    frames = len(of("acquire"))
    pending = [time for time in of("acquire_pending") if time]
    found = {f"{call}-p{percent}": percentile(of(call), percent)
             for call in (*_CALLS, "shown") for percent in _PERCENTILES}
    return found | {
        "frames": frames,
        "acquire-pending": 100 * len(pending) / frames,
        "pending-p50": percentile(pending, 50),
        "present-pending": 100 * sum(of("rendering_pending")) / frames,
        "discarded": 100 * sum(said["discarded"] for said in rounds) / frames}


def _milliseconds(nanoseconds: float | None) -> str:
    return "-" if nanoseconds is None else short(nanoseconds / 1e6)
