# SPDX-License-Identifier: MIT
"""Reading strace's output: which ioctls went to the dma-bufs that the compositor was given.

A buffer is known by many file descriptors, as Vulkan exports it and libwayland duplicates it. The
trace has every call that makes or closes one, so replaying it tells which buffer each stands for.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# -yy prints what each descriptor is: `6</dmabuf:>`; -s also limits arrays, and libwayland passes
# at most 28 descriptors at once.
OPTIONS = ["-f", "-yy", "-s", "32", "-e", "signal=none",
           "-e", "trace=ioctl,sendmsg,close,dup,dup2,dup3,fcntl"]

_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_UNFINISHED = re.compile(r"^(\d+) +(.*?) ?<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_DESCRIPTOR = re.compile(r"(\d+)<([^<>]*(?:<[^<>]*>)?)>")
_DMA_BUF = "/dmabuf:"


@dataclass
class Trace:
    """What one process did."""

    ioctls: list[tuple[int, str]] = field(default_factory=list)  # buffer, name
    on_sent: Counter = field(default_factory=Counter)            # names, once the buffer was sent
    sent: set[int] = field(default_factory=set)                  # buffers the compositor was given
    sent_other: list[str] = field(default_factory=list)          # anything else it was given


def read(path: Path) -> Trace:
    trace = Trace()
    table = _Table()
    for call, arguments, result, what in _calls(path):
        if call == "ioctl":
            _ioctl(trace, table, arguments, result, what)
        elif call == "sendmsg":
            _sendmsg(trace, table, arguments)
        elif call == "close" and result == 0:
            table.close(int(arguments.split("<")[0]))
        elif (call.startswith("dup") or "F_DUPFD" in arguments) and result >= 0:
            table.duplicate(int(arguments.split("<")[0]), result)
    return trace


class _Table:
    """The process's descriptor table: number to buffer."""

    def __init__(self):
        self.buffers = {}
        self.count = 0

    def buffer(self, fd: int) -> int:
        """One that nothing has been seen to make is a new buffer."""
        if fd not in self.buffers:
            self.count += 1
            self.buffers[fd] = self.count
        return self.buffers[fd]

    def close(self, fd: int) -> None:
        self.buffers.pop(fd, None)

    def duplicate(self, old: int, new: int) -> None:
        self.buffers[new] = self.buffer(old)


def _calls(path: Path):
    """Complete calls in the order of their ends: (name, arguments, result, what it is)."""
    begun = {}
    for line in path.read_text(errors="replace").splitlines():
        if match := _UNFINISHED.match(line):
            begun[match[1]] = match[2]
            continue
        if match := _RESUMED.match(line):
            line = f"{match[1]} {begun.pop(match[1], '')}{match[2]}"
        if match := _CALL.match(line):
            yield match[2], match[3], int(match[4]), match[5] or ""


def _ioctl(trace: Trace, table: _Table, arguments: str, result: int, what: str) -> None:
    if result >= 0 and what.startswith(_DMA_BUF):
        table.close(result)  # a new descriptor, UDMABUF_CREATE's for example
    descriptor = _DESCRIPTOR.match(arguments)
    if descriptor and descriptor[2].startswith(_DMA_BUF) and result >= 0:
        # Where numbers clash strace names both: `BINDER_... or DMA_BUF_IOCTL_IMPORT_SYNC_FILE`.
        names = arguments[descriptor.end():].lstrip(", ").split(",")[0].split(" or ")
        name = next((name for name in names if name.startswith("DMA_BUF_")), names[0])
        buffer = table.buffer(int(descriptor[1]))
        trace.ioctls.append((buffer, name))
        # A driver or layer may try out what a kernel can, before anybody shares the buffer.
        if buffer in trace.sent:
            trace.on_sent[name] += 1


def _sendmsg(trace: Trace, table: _Table, arguments: str) -> None:
    rights = re.search(r"SCM_RIGHTS, cmsg_data=\[(.*?)\]\}", arguments)
    for fd, what in _DESCRIPTOR.findall(rights[1]) if rights else []:
        if what.startswith(_DMA_BUF):
            trace.sent.add(table.buffer(int(fd)))
        else:
            trace.sent_other.append(what)
