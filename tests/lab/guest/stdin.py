# SPDX-License-Identifier: MIT
"""In the guest: turns the framed bytes of the serial line back into a pipe on standard output.

A terminal line knows no end of file that would not also be a byte; so the host sends frames, a
four-byte length (big endian) and as many bytes, and an empty frame is the end. It starts once
the file stdin-ready says that the line is in raw mode.
"""

import os
import tty


def read_exactly(line: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += os.read(line, count - len(data))
    return data


def main() -> None:
    line = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    with open("/lab/boot/stdin-ready", "w", encoding="ascii") as ready:
        ready.write("yes\n")
    while count := int.from_bytes(read_exactly(line, 4), "big"):
        data = read_exactly(line, count)
        while data:
            data = data[os.write(1, data):]


main()
