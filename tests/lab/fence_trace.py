# SPDX-License-Identifier: MIT
"""The kernel's trace events of dma_fences: when the fences of a process signalled.

The kernel writes them to tracefs. All times are in nanoseconds of CLOCK_MONOTONIC.
"""

import contextlib
import re
import subprocess
from pathlib import Path

_TRACEFS = Path("/sys/kernel/tracing")
_EVENTS = ("dma_fence_init", "dma_fence_signaled")
_BUFFER_KIB = 8192

# `weston-123  ( 123) [000] d..1.  45.678901: dma_fence_init: driver=D timeline=T context=5 seqno=7`
_LINE = re.compile(r"-\d+\s+\(\s*(?P<process>\d+|-+)\)\s+\[\d+\].*?(?P<time>\d+\.\d+): "
                   r"(?P<event>dma_fence_\w+): .*context=(?P<context>\d+) ")


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


def signals_of(process: int, text: str) -> list[int]:
    """When fences of that process signalled, in ascending order.

    A fence belongs to the process that makes fences of its context. It cannot be found by its
    number, which a driver may choose only after the event dma_fence_init.
    """
    events = [match for match in map(_LINE.search, text.splitlines()) if match]
    own = {match["context"] for match in events
           if match["event"] == "dma_fence_init" and match["process"] == str(process)}
    return sorted(round(float(match["time"]) * 1e9) for match in events
                  if match["event"] == "dma_fence_signaled" and match["context"] in own)
