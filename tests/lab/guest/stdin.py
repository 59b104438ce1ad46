# SPDX-License-Identifier: MIT
"""In the guest: turns the framed bytes of the line from the host back into a pipe on stdout.

A terminal line knows no end of file that would not also be a byte; so the host sends frames, a
four-byte length (big endian) and as many bytes, and an empty frame is the end. It starts once
the file stdin-ready says that the line is there, and in raw mode if it is a terminal's.
"""

import glob
import os
import sys
import time
import tty

_RETRY_SECONDS = 0.02


def opened(pattern: str) -> int:
    """A virtual machine's line is announced to its kernel some time after the driver is there."""
    while not (paths := glob.glob(pattern)):
        time.sleep(_RETRY_SECONDS)
    return os.open(paths[0], os.O_RDWR | os.O_NOCTTY)


def read_exactly(line: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        # Such a line ends as long as its other side is not connected.
        if part := os.read(line, count - len(data)):
            data += part
        else:
            time.sleep(_RETRY_SECONDS)
    return data


def main() -> None:
    line = opened(sys.argv[1])
    if os.isatty(line):
        tty.setraw(line)
    with open("/lab/boot/stdin-ready", "w", encoding="ascii") as ready:
        ready.write("yes\n")
    while count := int.from_bytes(read_exactly(line, 4), "big"):
        data = read_exactly(line, count)
        while data:
            data = data[os.write(1, data):]


main()
