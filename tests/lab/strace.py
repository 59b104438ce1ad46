# SPDX-License-Identifier: MIT
"""Reading strace's output: the ioctls on the dma-bufs that the compositor has received.

A buffer has many file descriptors, since Vulkan exports it and libwayland duplicates descriptors.
The trace has every call that opens or closes a buffer's descriptor. Replaying these calls tells
which buffer each descriptor refers to.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# -yy prints what each descriptor refers to: `6</dmabuf:>`. -s limits arrays as well; libwayland
# passes at most 28 descriptors at once.
OPTIONS = ["-f", "-yy", "-s", "32", "-e", "signal=none",
           "-e", "trace=ioctl,sendmsg,close,dup,dup2,dup3,fcntl"]

_CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_UNFINISHED = re.compile(r"^(\d+) +(.*?) ?<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_DESCRIPTOR = re.compile(r"(\d+)<([^<>]*(?:<[^<>]*>)?)>")
_DMA_BUF = "/dmabuf:"


@dataclass
class Trace:
    """The calls of one process."""

    ioctls: list[tuple[int, str]] = field(default_factory=list)  # the buffer, and the ioctl's name
    on_sent: Counter = field(default_factory=Counter)            # by name: ioctls on sent buffers
    sent: set[int] = field(default_factory=set)                  # buffers sent to the compositor
    sent_other: list[str] = field(default_factory=list)          # other files sent to it


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
    """The process's table of descriptors: the buffer of each number."""

    def __init__(self):
        self.buffers = {}
        self.count = 0

    def buffer(self, fd: int) -> int:
        """The buffer of a descriptor. An unknown descriptor is that of a new buffer."""
        if fd not in self.buffers:
            self.count += 1
            self.buffers[fd] = self.count
        return self.buffers[fd]

    def close(self, fd: int) -> None:
        self.buffers.pop(fd, None)

    def duplicate(self, old: int, new: int) -> None:
        self.buffers[new] = self.buffer(old)


def _calls(path: Path):
    """Complete calls in the order of their ends: name, arguments, result, and its file."""
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
        table.close(result)  # a new descriptor, as of UDMABUF_CREATE
    descriptor = _DESCRIPTOR.match(arguments)
    if descriptor and descriptor[2].startswith(_DMA_BUF) and result >= 0:
        # strace prints all ioctls of a number: `BINDER_... or DMA_BUF_IOCTL_IMPORT_SYNC_FILE`.
        names = arguments[descriptor.end():].lstrip(", ").split(",")[0].split(" or ")
        name = next((name for name in names if name.startswith("DMA_BUF_")), names[0])
        buffer = table.buffer(int(descriptor[1]))
        trace.ioctls.append((buffer, name))
        # Before a buffer is shared, driver or layer may try which ioctls the kernel has.
        if buffer in trace.sent:
            trace.on_sent[name] += 1


def _sendmsg(trace: Trace, table: _Table, arguments: str) -> None:
    rights = re.search(r"SCM_RIGHTS, cmsg_data=\[(.*?)\]\}", arguments)
    for fd, what in _DESCRIPTOR.findall(rights[1]) if rights else []:
        if what.startswith(_DMA_BUF):
            trace.sent.add(table.buffer(int(fd)))
        else:
            trace.sent_other.append(what)
