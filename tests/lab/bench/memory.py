# SPDX-License-Identifier: MIT
"""The memory and the file descriptors of a swapchain and its surface."""

from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import COLUMNS, environment
from .numbers import median, short
from .options import Options
from .runs import Results, Run
from .table import Section, Table

_SWAPCHAINS = 8
_WIDTH = 160
_WHAT = {"private_kib": "private memory, KiB", "pss_kib": "proportional (PSS), KiB",
         "rss_kib": "resident (RSS), KiB", "fds": "file descriptors"}
_WHEN = {"created": "made", "end": "after 10 frames"}
_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_windows")


def plan(_options: Options, round_number: int) -> list[Run]:
    return [Run(runs.name("memory", column, round_number), column,
                [_CLIENT, "--windows", str(_SWAPCHAINS), "--size", str(_WIDTH), "--warm-up", "0",
                 "--frames", "10"], environment(column)) for column in COLUMNS]


def evaluate(results: Results, _options: Options, compositor: str) -> Section:
    section = Section(f"memory and descriptors of a swapchain on {compositor}")
    table = Table(f"mean of {_SWAPCHAINS}, {_WIDTH}x{_WIDTH * 3 // 4}, 32 bit", [*COLUMNS])
    said = {column: [result.said() for result in results.of("memory", column)]
            for column in COLUMNS}
    table.add("images", *(short(median([one["images"] for one in said[column]]))
                          for column in COLUMNS))
    section.data["images"] = {column: median([one["images"] for one in said[column]])
                              for column in COLUMNS}
    for when, when_text in _WHEN.items():
        for what, text in _WHAT.items():
            found = {column: median([(one[when][what] - one["before"][what]) / _SWAPCHAINS
                                     for one in said[column]]) for column in COLUMNS}
            table.add(f"{when_text}: {text}", *(short(found[column]) for column in COLUMNS))
            section.data[f"{when}-{what}"] = found
    section.tables.append(table)
    return section
