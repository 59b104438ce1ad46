# SPDX-License-Identifier: MIT
"""Measurements of the layer on a GPU whose fences are pending while it works; see gpu.py.

One client runs in these ways:

    unfinished  It clears its image hundreds of times in a frame, and all clears but the last are
                red. It waits between acquire and submission, so that no compositor reads the image
                any more. A red pixel on the output is a frame that was shown unfinished.
    reads       It keeps all images but two, so it acquires an image that the compositor has just
                released, and may still read. It measures its calls, and when the acquired fence
                signals. Its rendering must not end before that.
    times       It presents as fast as it can, and measures its calls.
    slow        It renders for longer than a refresh. The driver's own swapchains do the same, for
                comparison.
"""

from collections.abc import Iterable
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
_PICTURES = 5          # that have to show the window
# Of native's refreshes with the same work, and how many those must be.
_REFRESHES = 0.9
_NATIVE_REFRESHES = 30

_CLIENT = [str(BUILD_IN_ROOT / "tests/bench/bench_windows"), "--mode", "mailbox", "--times"]
# The larger output and window, the longer the compositor reads.
OUTPUT = Size(1600, 1200)
# A client that acquires images which the compositor has just released.
KEEPING_CLIENT = [*_CLIENT, "--warm-up", "0", "--hold", "2", "--size", "1500"]
_RUNS = {
    "unfinished": ([*_CLIENT, "--size", "400", "--clears", "400", "--pause", "30", "--seconds",
                    "15"], {"pictures": 10}),
    "reads": ([*KEEPING_CLIENT, "--seconds", "12"], {"trace": "fences"}),
    "times": ([*_CLIENT, "--size", "400", "--clears", "40", "--seconds", "8"], {}),
    "slow": ([*_CLIENT, "--size", "400", "--clears", "400", "--refreshes", "--seconds", "8"], {}),
}
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Place:
    """A guest, and the transports that the layer can use there."""

    compositor: str
    kernel: str
    transports: tuple[str, ...]
    # Those of them with which a present returns while the rendering is pending.
    presents: tuple[str, ...] = ()
    # Those with which an image can be acquired while the compositor reads it.
    reads: tuple[str, ...] = ()
    # Those with which the compositor itself waits for a slow client, in its repaint.
    held_up: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.compositor} on {self.kernel}"


# What has to hold of a transport.
THE_TRANSPORT = "it is what runs"
SEEN = "the window is seen"
FINISHED = "no unfinished frame is shown"
WHOLE = "no image is rendered while the compositor reads it"
ACQUIRE = "acquire returns while the compositor reads"
LATENESS = "the acquired fence signals with the compositor's own"
PRESENT = "present returns while the rendering is pending"
REFRESHES = "with a slow client, the compositor refreshes as with native"
REFERENCE = "the reference acquires no pending fence"  # of the transport cpu
# The run that shows each.
RUN_OF = {SEEN: "unfinished", FINISHED: "unfinished", WHOLE: "reads", ACQUIRE: "reads",
          LATENESS: "reads", PRESENT: "times", REFRESHES: "slow", REFERENCE: "reads"}

# On Venus, present waits for the rendering with `kernel` and `module`: virtio_gpu waits for no
# attached fence (docs/drivers.md). Weston's Vulkan renderer neither waits for attached fences nor
# attaches any, so that nothing tells there when it has read an image. For sway's reads, virtio_gpu
# attaches fences; sway's release points signal after the reads.
PLACES = (
    Place("weston-vulkan", "debian-newest", ("kernel", "module", "cpu")),
    Place("sway", "debian-newest", ("explicit", "kernel", "module", "cpu"), ("explicit",),
          ("kernel", "module"), ("explicit",)),
    Place("sway", "debian-6.1", ("kernel", "module"), (), ("kernel", "module")),
)


def place_of(compositor: str, transport: str) -> Place:
    """The first place with that compositor and that transport."""
    for place in PLACES:
        if place.compositor == compositor and transport in place.transports:
            return place
    raise LabError(f"{transport} is not measured on {compositor}")


def checks_of(place: Place, transport: str) -> tuple[str, ...]:
    """What has to hold of a transport in that place."""
    found = [SEEN, FINISHED]
    if transport not in place.held_up:
        found.append(REFRESHES)
    if place.reads and transport == "cpu":
        found.append(REFERENCE)
    if transport in place.reads:
        found += [WHOLE, ACQUIRE, LATENESS]
    if transport in place.presents:
        found.append(PRESENT)
    return tuple(found)


def measure(place: Place, checks: dict[str, Iterable[str]], built: Path, out: Path) -> Results:
    """Runs, in one guest, what these checks need: for each transport, some of checks_of()."""
    needed = [(name, transport) for name in _RUNS for transport, some in checks.items()
              if any(name == RUN_OF[check] for check in some)]
    if any(REFRESHES in some for some in checks.values()):
        needed.append((RUN_OF[REFRESHES], NATIVE))
    plan = []
    for name, column in needed:
        argv, more = _RUNS[name]
        plan.append(Run(runs.name(name, column, 1), column, argv, environment(column),
                        _TIMEOUT_SECONDS, **more))
    return guests.execute(plan, place.compositor, built, out, kernel=place.kernel,
                          with_gpu=gpu.VENUS, output=OUTPUT)


def evaluate(results: Results, transport: str, checks: Iterable[str]) -> list[tuple[str, str]]:
    """The checks, each with what is wrong, or the empty string."""
    if verdict := results.verdict(transport):
        return [(THE_TRANSPORT, verdict)]
    if any(result.ok and not result.transports() for result in results.all
           if result.run.column == transport):
        return [(THE_TRANSPORT, "the layer opened no swapchain")]
    found = []
    for check in checks:
        own = results.of(RUN_OF[check], transport)
        found.append((check, _PROBLEM[check](own[0], results) if own else "it was not measured"))
    return found


def red_problem(result: Result) -> str:
    try:
        found = {path.name: png.read(path).colours() for path in result.pictures()}
    except png.NotReadable as error:
        return str(error)
    red = [name for name, colours in found.items() if any(map(_is_red, colours))]
    return f"{len(red)} of {len(found)} pictures are red: {', '.join(red)}" if red else ""


def window_problem(result: Result) -> str:
    pictures = result.pictures()
    try:
        shown = sum(any(map(_is_shade, png.read(path).colours())) for path in pictures)
    except png.NotReadable as error:
        return str(error)
    return "" if shown >= _PICTURES else f"it is in {shown} of {len(pictures)} pictures"


def _is_red(colour: bytes) -> bool:
    red, green, blue = colour
    return red > 200 and green < 60 and blue < 60


def _is_shade(colour: bytes) -> bool:
    """A finished image of tests/bench/cleared_swapchain.cpp: a grey with half of blue."""
    red, green, blue = colour
    return abs(blue - 128) <= 2 and abs(red - green) <= 1 and min(abs(
        red - 255 * number / 8) for number in range(1, 9)) <= 2


def order_problem(result: Result) -> str:
    said = result.said()
    pending, early = sum(map(bool, said["acquire_pending"])), sum(said["rendered_early"])
    if pending < _PENDING:
        return f"{pending} frames had a pending fence; {_PENDING} are needed"
    return f"{early} of {pending} were rendered before the compositor's read ended" if early else ""


def none_pending_problem(result: Result) -> str:
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


def _call_problem(times: list[int]) -> str:
    if len(times) < _PENDING:
        return f"{len(times)} frames had a pending fence; {_PENDING} are needed"
    if median(times) <= _CALL:
        return ""
    return f"p50 {_ms(median(times))} ms, p99 {_ms(percentile(times, 99))} ms, {len(times)} frames"


def lateness_problem(result: Result) -> str:
    late = lateness(result)
    if len(late) < _PENDING:
        return (f"for {len(late)} frames the trace has a fence of the compositor; {_PENDING} are "
                "needed")
    if median(late) <= _LATENESS:
        return ""
    return f"{_ms(median(late))} ms later at the median of {len(late)} frames"


def lateness(result: Result) -> list[int]:
    """For each acquired fence that was pending: the time since the compositor's fence.

    That is the first one to signal after the acquire has returned. If none did until the acquired
    fence was seen to signal, it is the last one before.
    """
    said = result.said()
    signals = fence_trace.signals_of(said["compositor"], result.text("fences.txt"))
    found = []
    for seen, pending in zip(said["acquire_signalled"], said["acquire_pending"]):
        if not pending:
            continue
        after = [time for time in signals if seen - pending <= time <= seen]
        before = [time for time in signals if time < seen - pending]
        if after or before:
            found.append(seen - (after[0] if after else before[-1]))
    return found


def refresh_problem(result: Result, results: Results) -> str:
    natives = results.of(RUN_OF[REFRESHES], NATIVE)
    if not natives:
        return "native was not measured"
    ours, theirs = result.said(), natives[0].said()
    if theirs["refreshes"] < _NATIVE_REFRESHES:
        return f"with native, the compositor refreshed {theirs['refreshes']} times"
    rate, base = (said["refreshes"] / said["seconds"] for said in (ours, theirs))
    return "" if rate >= _REFRESHES * base else f"{rate:.1f} Hz; with native {base:.1f} Hz"


def _ms(nanoseconds: float | None) -> str:
    return "-" if nanoseconds is None else f"{nanoseconds / 1e6:.2f}"


# What is wrong with the result of a run, by check.
_PROBLEM = {
    SEEN: lambda result, _: window_problem(result),
    FINISHED: lambda result, _: red_problem(result),
    WHOLE: lambda result, _: order_problem(result),
    ACQUIRE: lambda result, _: acquire_problem(result),
    LATENESS: lambda result, _: lateness_problem(result),
    PRESENT: lambda result, _: present_problem(result),
    REFRESHES: refresh_problem,
    REFERENCE: lambda result, _: none_pending_problem(result),
}
