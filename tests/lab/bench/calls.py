# SPDX-License-Identifier: MIT
"""Time inside vkAcquireNextImageKHR and vkQueuePresentKHR on real compositors, fences that are
pending when they return, and the time from vkQueuePresentKHR to the screen."""

from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import COLUMNS, environment
from .numbers import median, percentile, spread
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
    rounds = {column: [_numbers(said) for result in results.of(_prefix(work, mode), column)
                       if (said := result.said())["frames"]] for column in COLUMNS}
    data[_prefix(work, mode)] = {
        column: {key: median(_values(numbers, key, 1)) for key in numbers[0]} if numbers else None
        for column, numbers in rounds.items()}
    table = Table(f"{mode}, {work} rendering: median (range)", [*COLUMNS])

    def add(label: str, key: str, unit: float) -> None:
        table.add(label, *(spread(_values(rounds[column], key, unit)) for column in COLUMNS))

    for call, name in _CALLS.items():
        for percent in _PERCENTILES:
            add(f"{name}, p{percent}, microseconds", f"{call}-p{percent}", 1e3)
    add("acquired with a pending fence, of 100", "acquire-pending", 1)
    add("  which signalled later by, p50, ms", "pending-p50", 1e6)
    add("presented with pending rendering, of 100", "present-pending", 1)
    for percent in _PERCENTILES:
        add(f"from present to the screen, p{percent}, ms", f"shown-p{percent}", 1e6)
    add("replaced before they were shown, of 100", "discarded", 1)
    return table


def _values(rounds: list[dict[str, float | None]], key: str, unit: float) -> list[float]:
    return [value / unit for numbers in rounds if (value := numbers[key]) is not None]


def _numbers(said: dict) -> dict[str, float | None]:
    """Of one round; times are in nanoseconds."""
    frames = said["frames"]
    pending = [time for time in said["acquire_pending"] if time]
    found = {f"{call}-p{percent}": percentile(said[call], percent)
             for call in (*_CALLS, "shown") for percent in _PERCENTILES}
    return found | {
        "acquire-pending": 100 * len(pending) / frames,
        "pending-p50": percentile(pending, 50),
        "present-pending": 100 * sum(said["rendering_pending"]) / frames,
        "discarded": 100 * said["discarded"] / frames}
