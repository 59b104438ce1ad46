# SPDX-License-Identifier: MIT
"""System calls in a frame, by all threads of the client, and the number of its threads."""

from collections import Counter
from dataclasses import replace

from .. import syscalls
from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import COLUMNS, environment
from .numbers import median, short
from .options import Options
from .runs import Results, Run
from .table import Section, Table

LIMIT = 8  # in a frame on kernel or explicit, without futex and clock_gettime
WAITING_LIMIT = 2  # how many more there are if the client waits for its presents
MODES = ("fifo", "mailbox")
_PLACES = ("acquire", "submit", "present", "between", syscalls.OTHER_THREADS)
_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_windows")


def plan(options: Options, round_number: int) -> list[Run]:
    planned = clear_runs(options, round_number)
    if round_number == 1:  # vkcube starts slowly under strace, and its counts vary little
        planned += [Run(runs.name(f"calls-cube-{frames}", column, round_number), column,
                        ["vkcube", "--wsi", "wayland", "--c", str(frames), "--width", "160",
                         "--height", "120"], environment(column), timeout=200, trace="whole")
                    for column in COLUMNS for frames in options.cube_frames]
    return planned


def clear_runs(options: Options, round_number: int, of: tuple[str, ...] = COLUMNS) -> list[Run]:
    return [Run(runs.name(f"calls-clear-{mode}", column, round_number), column,
                [_CLIENT, "--mode", mode, "--frames", str(options.traced_frames), "--marks",
                 "--stop"], environment(column), timeout=120, trace="stopped")
            for mode in MODES for column in of]


def waiting_runs(options: Options, round_number: int, of: tuple[str, ...]) -> list[Run]:
    """The same client, which waits for its presents by vkWaitForPresentKHR."""
    return [replace(run, name=run.name.replace("-clear-", "-waiting-"), argv=[*run.argv, "--wait"])
            for run in clear_runs(options, round_number, of)]


def cube_per_frame(results: Results, column: str, lengths: tuple[int, int]) -> list[Counter]:
    """The calls in a frame by round: the difference of a long and a short run, per frame."""
    shorter, longer = ([syscalls.whole(result.text("trace.txt")).kinds()
                        for result in results.of(f"calls-cube-{frames}", column)]
                       for frames in lengths)
    more = lengths[1] - lengths[0]
    return [Counter({kind: (many[kind] - few[kind]) / more for kind in {*many, *few}})
            for few, many in zip(shorter, longer)]


def clear_per_frame(results: Results, mode: str, column: str,
                    client: str = "clear") -> list[dict[str, Counter]]:
    """The calls in a frame by round, and by place in the frame. The client is `clear` or
    `waiting`."""
    return [by_place_per_frame(syscalls.between_marks(result.text("trace.txt")),
                               result.said()["frames"])
            for result in results.of(f"calls-{client}-{mode}", column)]


def by_place_per_frame(calls: syscalls.Calls, frames: int) -> dict[str, Counter]:
    return {place: Counter({kind: count / frames for kind, count in kinds.items()})
            for place, kinds in calls.by_place.items()}


def threads(results: Results, column: str) -> float | None:
    return median([result.said()["end"]["threads"] for mode in MODES
                   for result in results.of(f"calls-clear-{mode}", column)])


def evaluate(results: Results, options: Options, compositor: str) -> Section:
    section = Section(f"system calls a frame on {compositor}")
    totals = Table("", [*COLUMNS])
    data = section.data
    all_found = {"vkcube, fifo": {column: cube_per_frame(results, column, options.cube_frames)
                                  for column in COLUMNS}}
    for mode in MODES:
        all_found[f"clear, {mode}"] = {
            column: [sum(places.values(), Counter())
                     for places in clear_per_frame(results, mode, column)] for column in COLUMNS}
    for client, found in all_found.items():
        _add_totals(totals, client, found)
        data[client] = {column: _mean(all_rounds) for column, all_rounds in found.items()}
    totals.add("threads", *(short(threads(results, column)) for column in COLUMNS))
    data["threads"] = {column: threads(results, column) for column in COLUMNS}
    section.tables.append(totals)
    for mode in MODES:
        section.tables.append(_places(results, mode, data))
    return section


def _add_totals(table: Table, label: str, found: dict[str, list[Counter]]) -> None:
    def row(of) -> list[str]:
        return [short(median([of(kinds) for kinds in found[column]])) for column in COLUMNS]

    table.add(label, *row(syscalls.counted))
    for name in syscalls.APART:
        table.add(f"  and {name}", *row(lambda kinds, name=name: kinds[name]))


def _mean(all_rounds: list[Counter]) -> dict[str, float] | None:
    if not all_rounds:
        return None
    total = sum(all_rounds, Counter())
    return {kind: round(count / len(all_rounds), 3) for kind, count in total.most_common()}


def _places(results: Results, mode: str, data: dict) -> Table:
    """The calls of the client bench_windows, by place in the frame and by kind."""
    table = Table(f"clear, {mode}: where, and what", [*COLUMNS])
    found = {}
    for column in COLUMNS:
        all_rounds = clear_per_frame(results, mode, column)
        found[column] = {place: _mean([places.get(place, Counter()) for places in all_rounds])
                         for place in _PLACES} if all_rounds else None
    data[f"clear-{mode}-places"] = found
    for place in _PLACES:
        kinds = {kind for column in COLUMNS if found[column]
                 for kind, count in (found[column][place] or {}).items()
                 if kind not in syscalls.APART and count >= 0.05}
        for kind in sorted(kinds):
            table.add(f"{place}: {kind}", *(
                "-" if not found[column] else short((found[column][place] or {}).get(kind, 0))
                for column in COLUMNS))
    return table
