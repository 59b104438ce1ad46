# SPDX-License-Identifier: MIT
"""Frames per second of one to eight swapchains whose images are only cleared, the processor time of
client and compositor, and the client's context switches."""

from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import COLUMNS, NATIVE, environment
from .numbers import median, short, spread
from .options import Options
from .runs import Results, Run
from .table import Section, Table

_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_windows")
_WHO = {"client": "the client", "compositor": "the compositor"}


def _prefix(mode: str, windows: int) -> str:
    return f"frames-{mode}-{windows}"


def plan(options: Options, round_number: int) -> list[Run]:
    return [Run(runs.name(_prefix(mode, windows), column, round_number), column,
                [_CLIENT, "--mode", mode, "--windows", str(windows),
                 "--seconds", str(options.seconds), *(["--refreshes"] if mode == "fifo" else [])],
                environment(column))
            for mode in ("fifo", "mailbox") for windows in options.window_counts
            for column in COLUMNS]


def rates(results: Results, mode: str, windows: int, column: str) -> list[float]:
    """Frames per second of each window, by round."""
    said = [result.said() for result in results.of(_prefix(mode, windows), column)]
    return [one["frames"] / one["seconds"] for one in said]


def held(results: Results, windows: int, column: str) -> list[float]:
    """The share of the compositor's refreshes that had a new frame of a window, by round."""
    said = [result.said() for result in results.of(_prefix("fifo", windows), column)]
    return [one["frames"] / one["refreshes"] for one in said if one["refreshes"]]


def processor_times(results: Results, windows: int, column: str, who: str) -> list[float]:
    """The processor time that client or compositor take for a frame of one window, by round, in
    microseconds, with MAILBOX."""
    said = [result.said() for result in results.of(_prefix("mailbox", windows), column)]
    return [one[f"{who}_seconds"] / one["frames"] / windows * 1e6 for one in said if one["frames"]]


def context_switches(results: Results, mode: str, windows: int, column: str) -> list[float]:
    """The client's context switches for a frame of one window, by round."""
    said = [result.said() for result in results.of(_prefix(mode, windows), column)]
    return [one["switches"] / one["frames"] / windows for one in said if one["frames"]]


def evaluate(results: Results, options: Options, compositor: str) -> Section:
    section = Section(f"frames a second on {compositor}")
    section.tables = [_rates(results, options, mode) for mode in ("fifo", "mailbox")]
    section.tables += [_ratios(results, options, section.data),
                       _processor_times(results, options, section.data),
                       _context_switches(results, options, section.data)]
    return section


def _rates(results: Results, options: Options, mode: str) -> Table:
    table = Table(f"{mode}, each window: median (range)", [*COLUMNS])
    for windows in options.window_counts:
        table.add(_windows(windows), *(spread(rates(results, mode, windows, column))
                                       for column in COLUMNS))
    return table


def _ratios(results: Results, options: Options, data: dict) -> Table:
    table = Table("ratio; for fifo: median (range)", [*COLUMNS])
    for windows in options.window_counts:
        found = {column: held(results, windows, column) for column in COLUMNS}
        table.add(f"fifo, {_windows(windows)}, of the compositor's refreshes",
                  *(spread(found[column]) for column in COLUMNS))
        data[_prefix("fifo", windows)] = {
            column: {"rates": _rounded(rates(results, "fifo", windows, column)),
                     "held": _rounded(found[column])} for column in COLUMNS}
    for windows in options.window_counts:
        found = {column: rates(results, "mailbox", windows, column) for column in COLUMNS}
        base = median(found[NATIVE])
        ratios = {column: median(all_rounds) / base if all_rounds and base else None
                  for column, all_rounds in found.items()}
        table.add(f"mailbox, {_windows(windows)}, of native's median",
                  *(short(ratios[column]) for column in COLUMNS))
        data[_prefix("mailbox", windows)] = {
            column: {"rates": _rounded(found[column]), "ratio": ratios[column]}
            for column in COLUMNS}
    return table


def _processor_times(results: Results, options: Options, data: dict) -> Table:
    table = Table("mailbox, processor time of a frame, microseconds: median (range)", [*COLUMNS])
    for windows in options.window_counts:
        for who, text in _WHO.items():
            found = {column: processor_times(results, windows, column, who) for column in COLUMNS}
            table.add(f"{_windows(windows)}, {text}",
                      *(spread(found[column]) for column in COLUMNS))
            data[f"{_prefix('mailbox', windows)}-{who}"] = {
                column: _rounded(found[column]) for column in COLUMNS}
    return table


def _context_switches(results: Results, options: Options, data: dict) -> Table:
    table = Table("context switches of a frame, the client: median (range)", [*COLUMNS])
    for mode in ("fifo", "mailbox"):
        for windows in options.window_counts:
            found = {column: context_switches(results, mode, windows, column)
                     for column in COLUMNS}
            table.add(f"{mode}, {_windows(windows)}",
                      *(spread(found[column]) for column in COLUMNS))
            data[f"{_prefix(mode, windows)}-switches"] = {
                column: _rounded(found[column]) for column in COLUMNS}
    return table


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def _windows(count: int) -> str:
    return f"{count} swapchain{'s' if count > 1 else ''}"
