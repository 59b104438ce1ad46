# SPDX-License-Identifier: MIT
"""Measurements of the layer on a GPU whose fences are pending while it works; see gpu.py.

One client runs in four ways:

    unfinished   It clears its image hundreds of times in a frame, and all clears but the last are
                 red. It waits between acquire and submission, so that no compositor reads the image
                 any more. A red pixel on the output is a frame that was shown unfinished.
    overwritten  It keeps all images but two, so it acquires an image that the compositor has just
                 released, and may still read. It clears the image at once, at first to red. A red
                 pixel is an image that was overwritten while the compositor read it.
    reads        The same with a single clear. It measures its calls, and when the acquired fence
                 signals.
    times        It presents as fast as it can, and measures its calls.

The driver's own swapchains do the same in the same guest, for comparison.
"""

from dataclasses import dataclass
from pathlib import Path

from . import fence_trace, gpu, png
from .bench import guests, runs
from .bench.columns import NATIVE, environment
from .bench.numbers import median, percentile
from .bench.runs import Result, Results, Run
from .compositors import Size
from .paths import BUILD_IN_ROOT
from .say import LabError

# The limits, in nanoseconds.
_CALL = 1_000_000      # for vkAcquireNextImageKHR and vkQueuePresentKHR, at the median
_LATENESS = 2_000_000  # from the signal of the compositor's fence to that of the acquired fence
_PENDING = 10          # frames with a pending fence that a measurement needs
_PICTURES = 10
# Of native's refreshes with the same work.
_REFRESHES = 0.9

_CLIENT = [str(BUILD_IN_ROOT / "tests/bench/bench_windows"), "--mode", "mailbox", "--times"]
_KEEPING = [*_CLIENT, "--warm-up", "0", "--hold", "2", "--size", "1500"]
_RUNS = {
    "unfinished": ([*_CLIENT, "--size", "400", "--clears", "400", "--pause", "30", "--seconds",
                    "15"], {"pictures": _PICTURES}),
    "overwritten": ([*_KEEPING, "--clears", "4", "--seconds", "15"], {"pictures": _PICTURES}),
    "reads": ([*_KEEPING, "--seconds", "12"], {"trace": "fences"}),
    "times": ([*_CLIENT, "--size", "400", "--clears", "40", "--refreshes", "--seconds", "8"], {}),
}
# The larger output and window, the longer the compositor reads.
_OUTPUT = Size(1600, 1200)
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Place:
    """A guest, and the transports that the layer can use there."""

    compositor: str
    kernel: str
    transports: tuple[str, ...]
    # Those of them with which a present returns while the rendering is pending, and those with
    # which an image can be acquired while the compositor reads it.
    presents: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.compositor} on {self.kernel}"


# What has to hold of a transport.
THE_TRANSPORT = "it is what runs"
FINISHED = "no unfinished frame is shown"
WHOLE = "no image is overwritten while the compositor reads it"
ACQUIRE = "acquire returns while the compositor reads"
LATENESS = "the acquired fence signals with the compositor's own"
PRESENT = "present returns while the rendering is pending"
REFRESHES = "the compositor refreshes as with native"
REFERENCE = "the reference acquires no pending fence"  # of the transport cpu
# The run that shows each; native is run for REFRESHES, too.
RUN_OF = {FINISHED: "unfinished", WHOLE: "overwritten", ACQUIRE: "reads", LATENESS: "reads",
          PRESENT: "times", REFRESHES: "times", REFERENCE: "times"}

# On Venus, present waits for the rendering with `kernel` and `module`: virtio_gpu waits for no
# attached fence (docs/drivers.md). Weston's Vulkan renderer neither waits for attached fences nor
# attaches any. For sway's reads, virtio_gpu attaches fences; sway's release points signal after the
# reads.
PLACES = (
    Place("weston-vulkan", "debian-newest", ("kernel", "module", "cpu")),
    Place("sway", "debian-newest", ("explicit", "kernel", "module", "cpu"), ("explicit",),
          ("kernel", "module")),
    Place("sway", "debian-6.1", ("kernel", "module"), (), ("kernel", "module")),
)


def place_of(compositor: str, transport: str) -> Place:
    """The first place with that compositor and that transport."""
    for place in PLACES:
        if place.compositor == compositor and transport in place.transports:
            return place
    raise LabError(f"{transport} is not measured on {compositor}")


def measure(place: Place, columns: tuple[str, ...], built: Path, out: Path,
            which: tuple[str, ...] = tuple(_RUNS)) -> Results:
    """Runs the client in one guest: in each of those ways, with each of the columns."""
    plan = [Run(runs.name(name, column, 1), column, argv, environment(column), _TIMEOUT_SECONDS,
                **more)
            for name, (argv, more) in _RUNS.items() if name in which for column in columns]
    return guests.execute(plan, place.compositor, built, out, kernel=place.kernel,
                          with_gpu=gpu.VENUS, output=_OUTPUT)


def checks(place: Place, results: Results, transport: str) -> list[tuple[str, str]]:
    """Some of CHECKS, each with what is wrong, or the empty string."""
    if verdict := results.verdict(transport):
        return [(THE_TRANSPORT, verdict)]
    found = [(check, picture_problem(result)) for check in (FINISHED, WHOLE)
             for result in results.of(RUN_OF[check], transport)]
    for result in results.of("times", transport):
        if transport == "cpu":
            found.append((REFERENCE, _none_pending(result)))
        if transport in place.presents:
            found.append((PRESENT, present_problem(result)))
        for native in results.of("times", NATIVE):
            found.append((REFRESHES, _refresh_problem(result, native)))
    for result in results.of("reads", transport) if transport in place.reads else []:
        found += [(ACQUIRE, acquire_problem(result)), (LATENESS, lateness_problem(result))]
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


def _none_pending(result: Result) -> str:
    pending = sum(map(bool, result.said()["acquire_pending"]))
    return f"{pending} were pending" if pending else ""


def acquire_problem(result: Result) -> str:
    said = result.said()
    return _call_problem([time for time, pending in zip(said["acquire"], said["acquire_pending"])
                          if pending])


def present_problem(result: Result) -> str:
    said = result.said()
    return _call_problem([time for time, pending in zip(said["present"], said["rendering_pending"])
                          if pending])


def lateness_problem(result: Result) -> str:
    late = lateness(result)
    if late and median(late) <= _LATENESS:
        return ""
    return f"{_ms(median(late))} ms later at the median of {len(late)} frames"


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
