# SPDX-License-Identifier: MIT
"""Counting the system calls of a frame in strace's output, by kind.

tests/bench/windows.cpp marks the parts of a frame by calls of access() with names. Between the
marks `begin` and `end`, a call of the marking thread belongs to the part that was marked last.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

OPTIONS = ["-f", "-yy", "-s", "64", "-e", "signal=none"]

# Counted separately. How often a lock is contended or a clock is read does not depend on the window
# system.
APART = ("futex", "clock_gettime")

OTHER_THREADS = "other threads"
ANYWHERE = "anywhere"  # the place of calls of a program without marks

_BEGUN = re.compile(r"^(\d+) +(?:[\d:.]+ +)?(\w+)\((.*)$")
_MARK = re.compile(r'^"bench:(\w+)", F_OK')
_DESCRIPTOR = re.compile(r"-?\d+<((?:[^<>]|<[^<>]*>|->)*)>")
_IOCTL = re.compile(r">, ((?:_IOC\([^)]*\)|[^,()]+))")


@dataclass
class Calls:
    """Calls of one process, by place in the frame and by kind."""

    by_place: dict[str, Counter] = field(default_factory=dict)
    threads: set[int] = field(default_factory=set)

    def add(self, place: str, kind: str) -> None:
        self.by_place.setdefault(place, Counter())[kind] += 1

    def kinds(self) -> Counter:
        return sum(self.by_place.values(), Counter())

    def counted(self) -> int:
        return counted(self.kinds())

    def apart(self, name: str) -> int:
        return self.kinds()[name]


def counted(kinds: Counter) -> float:
    """The number of calls, without those that are counted separately."""
    return sum(count for kind, count in kinds.items() if kind not in APART)


def whole(text: str) -> Calls:
    """All calls of a program without marks."""
    calls = Calls()
    for thread, call, arguments in _begun(text):
        calls.threads.add(thread)
        calls.add(ANYWHERE, kind(call, arguments))
    return calls


def between_marks(text: str) -> Calls:
    calls = Calls()
    marking = place = None
    for thread, call, arguments in _begun(text):
        calls.threads.add(thread)
        mark = _MARK.match(arguments) if call == "access" else None
        if mark:
            marking = thread
            place = {"begin": "between", "end": None}.get(mark[1], mark[1])
        elif place is not None:
            calls.add(place if thread == marking else OTHER_THREADS, kind(call, arguments))
    return calls


def _begun(text: str):
    """Calls in the order of their beginnings, each once: thread, name and arguments."""
    for line in text.splitlines():
        if match := _BEGUN.match(line):
            yield int(match[1]), match[2], match[3]


def kind(call: str, arguments: str) -> str:
    """The name of the call, and the type of its file: `close sync_file`."""
    if call in APART:
        return call
    # The descriptor of poll() is in an array of structures.
    descriptor = _DESCRIPTOR.match(arguments.removeprefix("[{fd="))
    if not descriptor:
        return call
    what = _what(descriptor[1])
    if call == "ioctl" and (request := _IOCTL.search(arguments)):
        return f"ioctl {_request_name(request[1])} {what}"
    return f"{call} {what}"


def _request_name(request: str) -> str:
    # strace prints all ioctls of a number: `BINDER_... or DMA_BUF_IOCTL_IMPORT_SYNC_FILE`.
    names = request.split(" or ")
    name = next((name for name in names if name.startswith("DMA_BUF_")), names[0])
    if name.startswith("_IOC("):
        return "_IOC(" + ",".join(name.split(",")[1:3]).replace(" ", "") + ")"
    return name.replace("_IOCTL_", "_", 1)


def _what(target: str) -> str:
    if target.startswith(("UNIX", "socket:")):
        return "socket"
    if target.startswith("anon_inode:"):
        return target.removeprefix("anon_inode:").strip("[]")
    if target.startswith("{"):  # `{eventfd-count=0, eventfd-id=1, ...}`
        return target[1:].split("-")[0]
    if target.startswith("/dmabuf:"):
        return "dma-buf"
    if target.startswith(("/memfd:", "pipe:")):
        return target.split(":")[0].strip("/")
    return target.split("<")[0]
