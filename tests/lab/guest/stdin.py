# SPDX-License-Identifier: MIT
"""In the guest: reads frames from the serial line that the host writes to; writes their bytes to
standard output.

A terminal line cannot express the end of a file except by a byte, which might be data as well. So
the host sends frames: a length of four bytes (big endian) and as many bytes. An empty frame is the
end. The host begins to send when the file stdin-ready says that the line exists, and is in raw mode
if it is a terminal.
"""

import glob
import os
import sys
import time
import tty

_RETRY_SECONDS = 0.02


def opened(pattern: str) -> int:
    """Waits for the device. A virtual machine announces it some time after its driver is loaded."""
    while not (paths := glob.glob(pattern)):
        time.sleep(_RETRY_SECONDS)
    return os.open(paths[0], os.O_RDWR | os.O_NOCTTY)


def read_exactly(line: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        # A read returns no bytes as long as the other side is not connected.
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
