# SPDX-License-Identifier: MIT
"""The kernel's trace events of dma_fences: which process made a fence, and when it signalled.

The kernel writes them to tracefs. All times are in nanoseconds of CLOCK_MONOTONIC.
"""

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TRACEFS = Path("/sys/kernel/tracing")
_EVENTS = ("dma_fence_init", "dma_fence_signaled")
_BUFFER_KIB = 8192

# `weston-123  ( 123) [000] d..1.  45.678901: dma_fence_init: driver=D timeline=T context=5 seqno=7`
_LINE = re.compile(r"-\d+\s+\(\s*(?P<process>\d+|-+)\)\s+\[\d+\].*?(?P<time>\d+\.\d+): "
                   r"(?P<event>dma_fence_\w+): .*context=(?P<context>\d+) seqno=(?P<seqno>\d+)")


@dataclass
class Fence:
    process: int
    signalled: int | None = None  # None: not within the trace


@contextlib.contextmanager
def recording(path: Path):
    """Context, in a guest: the events within it are in the file at its end."""
    if not (_TRACEFS / "trace").exists():
        subprocess.run(["mount", "-t", "tracefs", "none", str(_TRACEFS)], check=True)
    for name, value in (("buffer_size_kb", _BUFFER_KIB), ("trace_clock", "mono"),
                        ("options/record-tgid", 1), ("trace", ""),
                        *((f"events/dma_fence/{event}/enable", 1) for event in _EVENTS)):
        (_TRACEFS / name).write_text(f"{value}\n")
    try:
        yield
    finally:
        for event in _EVENTS:
            (_TRACEFS / f"events/dma_fence/{event}/enable").write_text("0\n")
        path.write_bytes((_TRACEFS / "trace").read_bytes())


def read(text: str) -> list[Fence]:
    """The fences that were made within the trace, in that order."""
    fences = {}
    for line in text.splitlines():
        if not (match := _LINE.search(line)):
            continue
        key = match["context"], match["seqno"]
        if match["event"] == "dma_fence_init" and match["process"].isdigit():
            fences[key] = Fence(int(match["process"]))
        elif match["event"] == "dma_fence_signaled" and key in fences:
            fences[key].signalled = round(float(match["time"]) * 1e9)
    return list(fences.values())


def signals_of(process: int, fences: list[Fence]) -> list[int]:
    """When fences of that process signalled, in ascending order."""
    return sorted(fence.signalled for fence in fences
                  if fence.process == process and fence.signalled is not None)
