# SPDX-License-Identifier: MIT
"""The layer's instructions in a frame, counted by callgrind.

Two runs of different lengths on the fake driver and the fake compositor are compared. Their
difference leaves out the instructions that create and destroy the swapchain.
"""

from .. import callgrind
from ..paths import BUILD_IN_ROOT, OUT_IN_ROOT
from . import runs
from .columns import TRANSPORTS
from .latency import client_environment
from .numbers import median, short
from .options import Options
from .runs import Results, Run
from .table import Section, Table

PACKAGE = "valgrind"
LIMIT = 10_000
LAYER_LIBRARY = "libVkLayer_FENCEBRIDGE_wsi.so"
_DRIVER_LIBRARY = "libfake_driver.so"
_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_calls")


def plan(options: Options, round_number: int, transports: tuple[str, ...] = TRANSPORTS,
         ) -> list[Run]:
    return [_profiled(runs.name(f"instructions-{frames}", column, round_number), column, frames)
            for column in transports for frames in options.profiled_frames]


def _profiled(name: str, column: str, frames: int) -> Run:
    output = OUT_IN_ROOT / "runs" / name / "callgrind.out"
    return Run(name, column, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}",
                              _CLIENT, "frames", str(frames)],
               client_environment(column), timeout=300)


def per_frame(results: Results, column: str, lengths: tuple[int, int]) -> list[dict[str, float]]:
    """The instructions in a frame, by what is counted and by round."""
    shorter, longer = ([callgrind.read(result.text("callgrind.out"))
                        for result in results.of(f"instructions-{frames}", column)]
                       for frames in lengths)
    return [_counts(many - few, lengths[1] - lengths[0]) for few, many in zip(shorter, longer)]


def _counts(profile: callgrind.Profile, frames: int) -> dict[str, float]:
    counts = {"layer": profile.own_of(LAYER_LIBRARY), "libwayland": profile.own_of(
        "libwayland-client.so"), "below": profile.calls_into(LAYER_LIBRARY)
        - profile.calls_between(LAYER_LIBRARY, _DRIVER_LIBRARY)}
    return {name: count / frames for name, count in counts.items()}


_ROWS = {"layer": "the layer's own code",
         "libwayland": "libwayland-client, which the layer alone calls",
         "below": "all inside calls to the layer, without the driver"}


def evaluate(results: Results, options: Options) -> Section:
    section = Section("instructions a frame (callgrind; fake driver, fake compositor)")
    table = Table("", [*TRANSPORTS])
    found = {column: per_frame(results, column, options.profiled_frames) for column in TRANSPORTS}
    for name, text in _ROWS.items():
        medians = {column: median([counts[name] for counts in found[column]])
                   for column in TRANSPORTS}
        table.add(text, *(short(value and round(value)) for value in medians.values()))
        section.data[name] = medians
    section.tables.append(table)
    return section
