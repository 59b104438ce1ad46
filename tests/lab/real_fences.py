# SPDX-License-Identifier: MIT
"""Measurements of the layer on a GPU whose fences are pending while it works; see gpu.py.

A client clears its image many times in a frame, and all clears but the last are red. A red pixel on
the output is a frame that was shown before it was finished, or an image that was reused before the
compositor had read it. The same client measures how long the calls take, and when acquired fences
signal. The driver's own swapchains do the same in the same guest, for comparison.
"""

from dataclasses import dataclass
from pathlib import Path

from . import fence_trace, gpu, png
from .bench import guests, runs
from .bench.columns import NATIVE, environment
from .bench.numbers import median, percentile
from .bench.runs import Result, Results, Run
from .paths import BUILD_IN_ROOT
from .say import LabError

# The limits, in nanoseconds.
_CALL = 1_000_000      # for vkAcquireNextImageKHR and vkQueuePresentKHR, at the median
_LATENESS = 2_000_000  # from the signal of the compositor's fence to that of the acquired fence
_PENDING = 20          # frames with a pending fence that a measurement needs
_PICTURES = 10
# Of native's refreshes with the same work.
_REFRESHES = 0.9

_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_windows")
_HEAVY = [_CLIENT, "--mode", "mailbox", "--size", "400", "--clears", "40", "--refreshes"]
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Place:
    """A guest, and the transports that the layer can use there."""

    compositor: str
    kernel: str
    transports: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.compositor} on {self.kernel}"


# What has to hold of a transport.
THE_TRANSPORT = "it is what runs"
FINISHED = "no unfinished frame is shown"
ACQUIRE = "acquire returns while the compositor reads"
PRESENT = "present returns while the rendering is pending"
LATENESS = "the acquired fence signals with the compositor's own"
REFRESHES = "the compositor refreshes as with native"
REFERENCE = "the reference acquires no pending fence"  # of the transport cpu
CHECKS = (THE_TRANSPORT, FINISHED, ACQUIRE, PRESENT, LATENESS, REFRESHES, REFERENCE)

PLACES = (
    Place("weston-vulkan", "debian-newest", ("kernel", "module", "cpu")),
    Place("sway", "debian-newest", ("explicit", "module", "cpu")),
    Place("weston-vulkan", "debian-6.1", ("kernel", "module")),
)


def place_of(compositor: str, transport: str) -> Place:
    """The first place with that compositor and that transport."""
    for place in PLACES:
        if place.compositor == compositor and transport in place.transports:
            return place
    raise LabError(f"{transport} is not measured on {compositor}")


def measure(place: Place, columns: tuple[str, ...], built: Path, out: Path) -> Results:
    """Runs the client in one guest, with each of the columns."""
    return guests.execute(_plan(columns), place.compositor, built, out, kernel=place.kernel,
                          with_gpu=gpu.VENUS)


def _plan(columns: tuple[str, ...]) -> list[Run]:
    return [Run(runs.name(what, column, 1), column, [*_HEAVY, *options], environment(column),
                _TIMEOUT_SECONDS, **more)
            for column in columns
            for what, options, more in (
                ("pictures", ["--seconds", "15"], {"pictures": _PICTURES}),
                ("times", ["--seconds", "8", "--times"], {"trace": "fences"}))]


def checks(results: Results, transport: str) -> list[tuple[str, str]]:
    """Some of CHECKS, each with what is wrong, or the empty string."""
    if verdict := results.verdict(transport):
        return [(THE_TRANSPORT, verdict)]
    found = [(FINISHED, picture_problem(result)) for result in results.of("pictures", transport)]
    native = results.of("times", NATIVE)
    for result in results.of("times", transport):
        found += time_problems(result, transport)
        if native:
            found.append((REFRESHES, _refresh_problem(result, native[0])))
    return found


def picture_problem(result: Result) -> str:
    """What is wrong with the pictures of a run, or the empty string."""
    found = {path.name: png.read(path).colours() for path in result.pictures()}
    if red := [name for name, colours in found.items() if any(map(_is_red, colours))]:
        return f"{len(red)} of {len(found)} have red pixels: {', '.join(red)}"
    shown = sum(any(map(_is_shade, colours)) for colours in found.values())
    if shown < _PICTURES // 2:
        return f"the window is in {shown} of {len(found)}"
    return ""


def _is_red(colour: bytes) -> bool:
    red, green, blue = colour
    return red > 200 and green < 60 and blue < 60


def _is_shade(colour: bytes) -> bool:
    """A finished image of tests/bench/cleared_swapchain.cpp: a grey with half of blue."""
    red, green, blue = colour
    return abs(blue - 128) <= 2 and abs(red - green) <= 1 and min(abs(
        red - 255 * number / 8) for number in range(1, 9)) <= 2


def time_problems(result: Result, transport: str) -> list[tuple[str, str]]:
    said = result.said()
    pending = [number for number, time in enumerate(said["acquire_pending"]) if time]
    rendering = [number for number, is_pending in enumerate(said["rendering_pending"])
                 if is_pending]
    if transport == "cpu":
        return [(REFERENCE, f"{len(pending)} were pending" if pending else "")]
    late = lateness(result)
    return [
        (ACQUIRE, _call_problem([said["acquire"][number] for number in pending])),
        (PRESENT, _call_problem([said["present"][number] for number in rendering])),
        (LATENESS, "" if late and median(late) <= _LATENESS else
         f"{len(late)} frames, {_ms(median(late))} ms later at the median"),
    ]


def _call_problem(times: list[int]) -> str:
    if len(times) < _PENDING:
        return f"{len(times)} frames had a pending fence; {_PENDING} are needed"
    if median(times) <= _CALL:
        return ""
    return f"p50 {_ms(median(times))} ms, p99 {_ms(percentile(times, 99))} ms, {len(times)} frames"


def lateness(result: Result) -> list[int]:
    """For each acquired fence that was pending: the time since the last signal of a fence of the
    compositor."""
    said = result.said()
    signals = fence_trace.signals_of(said["compositor"], result.text("fences.txt"))
    found = []
    for seen in filter(None, said["acquire_signalled"]):
        before = [time for time in signals if time <= seen]
        if before:
            found.append(seen - before[-1])
    return found


def _refresh_problem(result: Result, native: Result) -> str:
    rate, base = (one.said()["refreshes"] / one.said()["seconds"] for one in (result, native))
    return "" if rate >= _REFRESHES * base else f"{rate:.1f} Hz; with native {base:.1f} Hz"


def _ms(nanoseconds: float | None) -> str:
    return "-" if nanoseconds is None else f"{nanoseconds / 1e6:.2f}"
